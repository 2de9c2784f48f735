// An item: as a card of a list, or as a line of a short one.

import { el, say } from "./dom.js";
import { openItem } from "./item.js";
import { add, heaviest, session } from "./session.js";
import { amount, calm, few, hueOf, named, percent, SOURCES } from "./words.js";

const categories = (item) => item.facts.filter((fact) => typeof fact.value === "string");
const numbers = (item) => item.facts.filter((fact) => typeof fact.value === "number");
// Bare numbers are codes, which tell nobody anything; so is what the title says already.
const tells = (item) => ({ value }) => !/^\d+$/.test(value) && !item.title.toLowerCase().includes(value.toLowerCase());
export const groupOf = (item) => categories(item)[0]?.value ?? "";

export function actions(item, isSmall = false) {
  return el("div", { class: "actions" }, session.shop.event_types.map((type) => el("button", {
    type: "button", class: type === heaviest() ? "soft small" : "small", text: named(type),
    "aria-label": `${named(type)}: ${item.title}`,
    onclick: () => { add(item, type); say(`${item.title} was added to the history as ${named(type)}.`); },
  })).slice(isSmall ? -1 : 0));
}

export function cards(items, note = () => null) {
  const best = {};
  for (const item of items) {
    for (const [type, share] of Object.entries(item.probabilities ?? {})) best[type] = Math.max(best[type] ?? 0, share);
  }
  return el("div", { class: "cards" }, items.map((item, n) => card(item, n + 1, note(item, n + 1), best)));
}

function card(item, place, note, best) {
  const group = groupOf(item);
  const facts = categories(item).slice(1).filter(tells(item)).slice(0, 2).map(({ value }) => calm(value));
  return el(
    "article", { class: "card", hue: hueOf(group), "data-item": item.item_id, "aria-label": item.title },
    el("div", { class: "tile" }, el("span", { class: "place", text: place }), el("span", { class: "group", text: calm(group) }), source(item)),
    el(
      "div", { class: "card-body" },
      el("h3", {}, el("button", { type: "button", class: "link", text: item.title, title: item.text, onclick: () => openItem(item) })),
      el(
        "p", { class: "facts" },
        numbers(item).map((fact) => el("span", { class: "number", title: fact.name }, el("small", { text: `${named(fact.name)} ` }), el("b", { text: amount(fact.value) }))),
        facts.length ? el("span", { text: facts.join(" · ") }) : null,
      ),
      reason(item),
      note ? el("p", { class: note.differs ? "note differs" : "note", text: note.says }) : null,
      typeof item.score === "number" ? odds(item, best) : null,
      actions(item),
    ),
  );
}

function reason(item) {
  if (!item.reason) return null;
  if (item.reason.item_id === item.item_id) return el("p", { class: "reason", text: "because you had it before" });
  return el("p", { class: "reason" }, "because of ", el("em", { text: item.reason.title }));
}

export function line(item, told) {
  return el(
    "li", { class: "line", hue: hueOf(groupOf(item)), "data-item": item.item_id },
    el("span", { class: "swatch", "aria-hidden": "true" }),
    el("div", { class: "line-body" },
      el("button", { type: "button", class: "link", text: item.title, title: item.text, onclick: () => openItem(item) }),
      el("span", { class: "quiet", text: told })),
    actions(item, true),
  );
}

function source(item) {
  if (!item.source) return null;
  const [word, meaning] = SOURCES[item.source] ?? [named(item.source), item.source];
  return el("span", { class: "badge", text: word, title: meaning });
}

// A bar compares an item with the best of the list.
export function odds(item, best = {}) {
  const types = session.shop.event_types.filter((type) => type in (item.probabilities ?? {}));
  const rows = types.map((type) => el(
    "div", { class: "odd" }, el("dt", { text: named(type) }),
    el("dd", {},
      best[type] ? el("span", { class: "meter", share: item.probabilities[type] / best[type], "aria-hidden": "true" }) : null,
      el("span", { text: percent(item.probabilities[type]) })),
  ));
  const score = el("div", { class: "odd" }, el("dt", { text: "Score" }), el("dd", { text: few(item.score) }));
  const near = typeof item.relevance === "number"
    ? el("div", { class: "odd" }, el("dt", { text: "Words" }), el("dd", { text: few(item.relevance) }))
    : null;
  return el("dl", { class: "odds" }, rows, score, near);
}

export function skeletons(count) {
  return el("div", { class: "cards", "aria-hidden": "true" }, Array.from({ length: Math.min(count, 12) }, () => el("div", { class: "card skeleton" })));
}
