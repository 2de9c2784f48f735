// What becomes of an item, and which events of the history speak for it.

import { post } from "./api.js";
import { odds } from "./card.js";
import { combobox } from "./combobox.js";
import { byId, el, fill } from "./dom.js";
import { panel } from "./panel.js";
import { byWords } from "./search.js";
import { can, first, forVisitor, onChange, session } from "./session.js";
import { FATES, few, SOURCES, whole } from "./words.js";

const EFFECTS = 6;

export function showWhy() {
  const node = el("div", { id: "why-answer" });
  const meta = el("p", { class: "quiet", role: "status" });
  const shown = panel(node, meta, { empty: "" });
  let item = null;
  const ask = () => { if (item) askWhy(shown, item); };
  const picker = combobox({
    label: "Item that you miss", placeholder: "Words or an id", find: byWords,
    choose: (option) => { item = option.item; ask(); },
  });
  const note = el("p", { class: "quiet", id: "why-note" });
  fill(byId("why"), note, picker.root, meta, node);
  onChange((names) => {
    if (names.includes("servers")) {
      const isKnown = Boolean(first()?.online);
      picker.root.hidden = isKnown && !can("explains");
      note.textContent = isKnown && !can("explains")
        ? "This model has no ranker, and only a model with one explains."
        : "The model answers for the present shopper, filters and length of the list, without the wish for variety.";
    }
    if (["events", "features", "filters", "k", "newOnly"].some((name) => names.includes(name))) ask();
  });
}

export function askWhy(shown, item) {
  const question = { ...forVisitor(), item_ids: [item.item_id] };
  return shown.ask((signal) => post("explain", question, signal), ({ items: [told] }) => [explanation(told), ""]);
}

function explanation(told) {
  const rank = (place) => (place ? whole(place) : "none");
  const facts = {
    "place on the list": told.place ? `${whole(told.place)} of ${session.k}` : "none",
    "rank among the candidates": rank(told.rank),
    "rank by the towers, of all items": rank(told.retrieval_rank),
    "proposed by": told.sources.map((source) => SOURCES[source]?.[0] ?? source).join(", ") || "nobody",
  };
  return el(
    "div", { class: "explanation", "data-item": told.item_id },
    el("p", { class: "explained" }, el("strong", { text: told.title })),
    el("p", { class: "fate", "data-fate": told.fate }, FATES[told.fate] ?? told.fate),
    el("dl", { class: "item-facts" }, Object.entries(facts).map(([name, value]) => el("div", {}, el("dt", { text: name }), el("dd", { text: value })))),
    odds(told),
    effects(told.effects.filter(({ effect }) => effect !== 0).slice(0, EFFECTS)),
  );
}

function effects(found) {
  if (!found.length) return el("p", { class: "quiet", text: "No event of the history moves its score." });
  const most = Math.max(...found.map(({ effect }) => Math.abs(effect)));
  return el(
    "div", {}, el("h3", { text: "What its score would lose without …" }),
    el("ul", { class: "effects" }, found.map(({ title, effect }) => el(
      "li", { class: effect > 0 ? "for" : "against" },
      el("span", { text: title }), el("span", { class: "meter", share: Math.abs(effect) / most, "aria-hidden": "true" }),
      el("span", { class: "figure", text: `${effect > 0 ? "+" : "−"}${few(Math.abs(effect))}` }),
    ))),
  );
}
