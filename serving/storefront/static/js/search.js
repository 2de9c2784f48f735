// The search field: items while somebody types, then what the words stand for.

import { get, post } from "./api.js";
import { cards, groupOf, skeletons } from "./card.js";
import { combobox } from "./combobox.js";
import { byId, el } from "./dom.js";
import { openItem } from "./item.js";
import { panel } from "./panel.js";
import { can, first, forVisitor, onChange, session } from "./session.js";
import { calm, ms, some } from "./words.js";

export const byWords = async (words, signal) => {
  if (!words.trim()) return [];
  const { items } = await get(`/api/items?words=${encodeURIComponent(words)}`, signal);
  return items.map((item) => ({ id: item.item_id, label: item.title, detail: calm(groupOf(item)) || item.item_id, item }));
};

export function showSearch() {
  const found = panel(byId("found-list"), byId("found-meta"), { empty: "Nothing is found.", skeleton: () => skeletons(session.k) });
  let sought = "";
  const look = (words) => {
    sought = words;
    byId("found").hidden = !words;
    if (!words) return;
    byId("found-head").textContent = `Found for “${words}”`;
    if (can("searches")) found.ask((signal) => post("search", { text: words, ...forVisitor() }, signal), byMeaning);
    else found.ask((signal) => get(`/api/items?words=${encodeURIComponent(words)}`, signal), inWords);
  };
  const field = combobox({
    label: "Search items", visibleLabel: false, keep: true, placeholder: "Search items",
    find: byWords, choose: (option) => openItem(option.item), enter: look,
  });
  byId("search").append(field.root);
  byId("search").addEventListener("submit", (event) => event.preventDefault());
  byId("found-close").addEventListener("click", () => { look(""); field.input.value = ""; field.input.focus(); });
  onChange((names) => {
    if (names.includes("servers") && first()?.online) {
      field.input.placeholder = can("searches") ? "Say what you look for" : "Search items by the words of their texts";
    }
    if (sought && can("searches") && ["events", "filters", "k", "newOnly"].some((name) => names.includes(name))) look(sought);
  });
}

function byMeaning(answer) {
  return [answer.items.length ? cards(answer.items) : null, `${some(answer.items.length, "item")} by meaning and by taste · ${ms(answer.calls.at(-1).ms)} at the model`];
}

function inWords(answer) {
  const note = "by words alone: this shop's model has no text section, so it knows no meanings";
  return [answer.items.length ? cards(answer.items) : null, `${some(answer.items.length, "item")} ${note}`];
}
