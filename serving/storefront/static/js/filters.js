// Filters, built from the shop's own columns; only those that the model takes.

import { get } from "./api.js";
import { combobox } from "./combobox.js";
import { byId, el, fill, newId } from "./dom.js";
import { change, first, onChange, session } from "./session.js";
import { amount, calm, named, some, whole } from "./words.js";

export function showFilters() {
  onChange((names) => {
    if (names.includes("servers")) draw();
    else if (names.includes("filters")) { drawCount(); for (const chips of document.querySelectorAll("[data-chips]")) drawChips(chips); }
  });
  draw();
}

let drawn = "";
function draw() {
  const taken = first()?.filters;
  const key = JSON.stringify(taken);
  if (key === drawn) return;
  drawn = key;
  const facets = session.shop.facets.filter(({ name, kind }) => !taken || taken.includes(`${kind === "category" ? "allow" : "min"}_${name}`));
  const reset = el("button", { type: "button", class: "ghost", text: "Clear all filters", onclick: () => { change({ filters: {} }); redraw(); } });
  const body = facets.map((facet) => (facet.kind === "category" ? category(facet) : band(facet)));
  fill(byId("filters"), body.length ? [...body, reset] : el("p", { class: "quiet", text: "This shop declares no column to filter by." }));
  drawCount();
}

function redraw() {
  drawn = "";
  draw();
}

function drawCount() {
  const count = Object.keys(session.filters).length;
  byId("filters-count").textContent = count ? `${whole(count)} set` : "";
}

function set(name, value) {
  const { [name]: _, ...others } = session.filters;
  const isEmpty = value === null || (Array.isArray(value) && !value.length);
  change({ filters: isEmpty ? others : { ...others, [name]: value } });
}

function category({ name, count }) {
  const group = newId("mode");
  const only = radio(group, "Only", true);
  const not = radio(group, "Not", false);
  const chips = el("ul", { class: "chips", "data-chips": name, "aria-label": `${named(name)}: chosen values` });
  const picker = combobox({
    label: `${named(name)}: find a value`, visibleLabel: false, placeholder: `${some(count, "value")}`,
    find: async (words, signal) => {
      const { values } = await get(`/api/values/${encodeURIComponent(name)}?words=${encodeURIComponent(words)}`, signal);
      return values.map(({ value, items }) => ({ id: value, label: calm(value), detail: some(items, "item") }));
    },
    choose: ({ id }) => {
      const [into, from] = only.input.checked ? ["allow", "block"] : ["block", "allow"];
      const other = (session.filters[`${from}_${name}`] ?? []).filter((value) => value !== id);
      set(`${from}_${name}`, other);
      set(`${into}_${name}`, [...new Set([...(session.filters[`${into}_${name}`] ?? []), id])]);
    },
  });
  drawChips(chips);
  return el("fieldset", { class: "facet" }, el("legend", { text: named(name) }), el("div", { class: "segments" }, only.root, not.root), picker.root, chips);
}

function drawChips(node) {
  const name = node.dataset.chips;
  const chip = (mode, word) => (session.filters[`${mode}_${name}`] ?? []).map((value) => el(
    "li", { class: `chip ${mode}` },
    el("span", { text: `${word} ${calm(value)}` }),
    el("button", {
      type: "button", text: "×", "aria-label": `Remove the filter ${word} ${value}`,
      onclick: () => set(`${mode}_${name}`, session.filters[`${mode}_${name}`].filter((other) => other !== value)),
    }),
  ));
  fill(node, chip("allow", "only"), chip("block", "not"));
}

function radio(group, text, checked) {
  const input = el("input", { type: "radio", name: group, checked });
  return { input, root: el("label", { class: "segment" }, input, el("span", { text })) };
}

function band({ name, range }) {
  const [least, most] = range ?? [null, null];
  const end = (mode, word, bound) => {
    const id = newId(mode);
    const input = el("input", {
      id, type: "number", step: "any", placeholder: bound === null ? "" : amount(bound), value: session.filters[`${mode}_${name}`] ?? "",
      oninput: () => set(`${mode}_${name}`, Number.isFinite(input.valueAsNumber) ? input.valueAsNumber : null),
    });
    return el("div", { class: "field" }, el("label", { htmlFor: id, text: word }), input);
  };
  return el("fieldset", { class: "facet" }, el("legend", { text: named(name) }), el("div", { class: "band" }, end("min", "from", least), end("max", "to", most)));
}
