// An item on its own: its facts, what is like it, and why it is, or is not, on the list.

import { post } from "./api.js";
import { actions, groupOf, line } from "./card.js";
import { byId, el, fill } from "./dom.js";
import { panel } from "./panel.js";
import { can, listing } from "./session.js";
import { amount, calm, few, hueOf, named } from "./words.js";
import { askWhy } from "./why.js";

const SIMILAR = 8;

export function openItem(item) {
  const dialog = byId("item");
  const close = el("button", { type: "button", class: "ghost close", "aria-label": "Close", text: "×", onclick: () => dialog.close() });
  const facts = item.facts.map(({ name, value }) => el("div", {}, el("dt", { text: named(name) }), el("dd", { text: typeof value === "number" ? amount(value) : calm(value) })));
  const similarMeta = el("p", { class: "quiet", role: "status" });
  const similar = el("div", {});
  const whyMeta = el("p", { class: "quiet", role: "status" });
  const why = el("div", {});
  const explain = el("button", { type: "button", text: "Why is it, or is it not, on the list?", onclick: () => { explain.hidden = true; askWhy(panel(why, whyMeta, { empty: "" }), item); } });
  fill(
    dialog,
    el("div", { class: "item-head", hue: hueOf(groupOf(item)) },
      el("div", { class: "tile" }, el("span", { class: "group", text: calm(groupOf(item)) }), close),
      el("h2", { id: "item-title", text: item.title }),
      el("p", { class: "quiet", text: item.text && item.text !== item.title ? item.text : `item ${item.item_id}` })),
    actions(item),
    el("dl", { class: "item-facts" }, el("div", {}, el("dt", { text: "Item" }), el("dd", { text: item.item_id })), facts),
    can("explains") ? el("section", { class: "item-part" }, explain, whyMeta, why) : null,
    can("similar") ? el("section", { class: "item-part" }, el("h3", { text: "Similar items" }), similarMeta, similar) : null,
  );
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  if (!can("similar")) return;
  const question = { item_id: item.item_id, k: SIMILAR, filters: listing().filters };
  panel(similar, similarMeta, { empty: "Nothing is like it." }).ask((signal) => post("similar", question, signal), (answer) => [
    answer.items.length ? el("ul", { class: "lines" }, answer.items.map((found) => line(found, `cosine ${few(found.score)}`))) : null, "",
  ]);
}

byId("item").addEventListener("click", (event) => {
  if (event.target === event.currentTarget) event.currentTarget.close();
});
