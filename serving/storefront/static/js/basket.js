// What others have together with the basket.

import { post } from "./api.js";
import { line } from "./card.js";
import { byId, el } from "./dom.js";
import { panel } from "./panel.js";
import { basket, can, first, listing, onChange } from "./session.js";
import { few } from "./words.js";

const NAMED = 3;

export function showBasket() {
  const shown = panel(byId("basket"), byId("basket-meta"), { empty: "Nothing is known to go with it beyond chance." });
  let wasOnline = null;
  onChange((names) => {
    const isBack = names.includes("servers") && first()?.online && wasOnline !== true;
    if (names.includes("servers")) wasOnline = first()?.online ?? null;
    if (!isBack && !["events", "filters", "k"].some((name) => names.includes(name))) return;
    shown.soon(() => ask(shown));
  });
}

function ask(shown) {
  byId("basket-section").hidden = Boolean(first()?.online) && !can("completes");
  if (!can("completes")) { shown.clear(""); return; }
  const { items, isNow } = basket();
  if (!items.length) { shown.clear("The basket is empty: take an item."); return; }
  const names = items.slice(-NAMED).reverse().map((item) => item.title).join(", ");
  const more = items.length > NAMED ? ` and ${items.length - NAMED} more` : "";
  const told = `${isNow ? "with what you took just now" : "with the last basket"}: ${names}${more}`;
  const question = { item_ids: items.map((item) => item.item_id), ...listing(), k: Math.min(listing().k, 12) };
  shown.ask((signal) => post("basket", question, signal), (answer) => [
    answer.items.length ? el("ul", { class: "lines" }, answer.items.map((item) => line(item, `lift ${few(item.score)}`))) : null, told,
  ]);
}
