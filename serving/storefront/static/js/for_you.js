// The recommendations; side by side where two models are compared.

import { post } from "./api.js";
import { cards, skeletons } from "./card.js";
import { byId, el } from "./dom.js";
import { panel } from "./panel.js";
import { first, forVisitor, onChange, session } from "./session.js";
import { ms, some } from "./words.js";

const ASKED_BY = ["events", "features", "filters", "k", "diversity", "newOnly", "comparing", "rival"];

export function showForYou() {
  const shown = panel(byId("for-you"), byId("for-you-meta"), {
    empty: "No item passes. Loosen a filter.", skeleton: () => skeletons(session.k),
  });
  onChange((names) => { if (names.some((name) => ASKED_BY.includes(name))) shown.soon(() => ask(shown)); });
}

function ask(shown) {
  const isComparing = session.comparing && session.rival;
  if (isComparing) shown.ask(two, drawTwo);
  else shown.ask((signal) => post("recommend", forVisitor(), signal), drawOne);
}

const time = (answer) => `${ms(answer.calls.at(-1).ms)} at the model, ${ms(answer.pageMs)} for this page`;

function drawOne(answer) {
  if (!answer.items.length) return [null, "nothing to show"];
  const kind = answer.items[0].source ? "" : "by the towers; this model has no ranker";
  const words = [some(answer.items.length, "item"), time(answer), kind].filter(Boolean).join(" · ");
  return [cards(answer.items), words];
}

async function two(signal) {
  const [left, right] = await Promise.all([
    post("recommend", forVisitor(), signal), post("recommend", forVisitor(session.rival), signal),
  ]);
  return { left, right };
}

export function nameOf({ server, version }) {
  if (server === "second") return "second server";
  return version === null ? "latest version" : `version ${version}`;
}

function drawTwo({ left, right }) {
  const latest = first()?.versions?.[0];
  const heads = [`Version ${latest ?? "latest"}`, nameOf(session.rival)];
  const sides = [[left, right], [right, left]].map(([own, other], n) => side(own, other, heads[n]));
  const shared = left.items.filter((item) => right.items.some((also) => also.item_id === item.item_id)).length;
  return [el("div", { class: "versus" }, sides), `${shared} of ${left.items.length} items are on both lists`];
}

function side(own, other, head) {
  const places = new Map(other.items.map((item, n) => [item.item_id, n + 1]));
  const note = (item, place) => {
    const there = places.get(item.item_id);
    if (!there) return { says: "only on this list", differs: true };
    return { says: there === place ? "same place on both" : `at ${there} on the other list`, differs: there !== place };
  };
  return el(
    "section", { class: "side-list", "aria-label": head },
    el("h3", { class: "versus-head", text: head }), el("p", { class: "quiet", text: time(own) }),
    cards(own.items, note),
  );
}
