// Who the lists are for: a shopper of the data, somebody new, or whoever is made of clicks.

import { get, newest } from "./api.js";
import { combobox } from "./combobox.js";
import { byId, el, fill, newId } from "./dom.js";
import { change, onChange, session } from "./session.js";
import { amount, day, hueOf, named, short, some } from "./words.js";

const latest = newest();
let examples = [];
let place = -1;

export function showShopper() {
  const picker = combobox({ label: "Find an example shopper", placeholder: "Part of an id", find, choose: (option) => choose(option.id) });
  const newcomer = el("button", { type: "button", class: "small", text: "Somebody new", onclick: becomeNew });
  const another = el("button", { type: "button", class: "small", text: "Next example", onclick: chooseExample });
  const who = el("div", { class: "who", id: "who" });
  const profile = el("div", { id: "profile" });
  const failed = el("p", { class: "error", id: "shopper-error", role: "status" });
  fill(byId("shopper"), who, picker.root, el("div", { class: "row" }, newcomer, another), failed, profile);
  const draw = (names) => {
    if (names.some((name) => ["shopperId", "events", "moment"].includes(name))) drawWho(who);
    if (names.includes("shopperId")) drawProfile(profile);
  };
  onChange(draw);
  draw(["shopperId"]);
}

async function find(words, signal) {
  const { shoppers } = await get(`/api/shoppers?words=${encodeURIComponent(words)}`, signal);
  return shoppers.map((shopper) => ({
    id: shopper.shopper_id,
    label: short(shopper.shopper_id),
    detail: [some(shopper.events, "event"), ...Object.values(shopper.features).map(String)].join(" · "),
  }));
}

export async function chooseExample() {
  try {
    if (!examples.length) examples = (await get("/api/shoppers")).shoppers;
  } catch (trouble) {
    byId("shopper-error").textContent = trouble.message;
    return;
  }
  if (!examples.length) { becomeNew(); return; }
  place = (place + 1) % examples.length;
  await choose(examples[place].shopper_id);
}

async function choose(id) {
  await latest((signal) => get(`/api/shoppers/${encodeURIComponent(id)}`, signal), {
    show: (shopper) => {
      byId("shopper-error").textContent = "";
      const events = shopper.events.map(({ event_type, timestamp, ...item }) => ({ item, event_type, timestamp, added: false }));
      change({ shopperId: id, events, moment: shopper.moment, features: shopper.features });
    },
    fail: (trouble) => { byId("shopper-error").textContent = trouble.message; },
  });
}

function becomeNew() {
  change({ shopperId: null, events: [], moment: session.shop.moment, features: {} });
}

function drawWho(node) {
  const id = session.shopperId;
  const added = session.events.filter((event) => event.added).length;
  const name = id ? short(id) : added ? "Your own shopper" : "Somebody new";
  const told = [some(session.events.length, "event"), added ? `${added} just now` : null, `asked as of ${day(session.moment)}`];
  fill(
    node,
    el("span", { class: "face", hue: hueOf(id ?? "new"), "aria-hidden": "true", text: (id ?? "?").slice(0, 2).toUpperCase() }),
    el("div", {}, el("strong", { text: name, title: id ?? "" }), el("p", { class: "quiet", text: told.filter(Boolean).join(" · ") })),
  );
}

function drawProfile(node) {
  const fields = session.shop.profile;
  if (!fields.length) { fill(node); return; }
  const known = fields.filter(({ name }) => ![undefined, "", null].includes(session.features[name])).length;
  fill(node, el(
    "details", { class: "profile" },
    el("summary", {}, "Profile ", el("span", { class: "count", text: `${known} of ${fields.length} known` })),
    el("div", { class: "fields" }, fields.map(field)),
  ));
}

function field({ name, values }) {
  const id = newId("profile");
  const value = session.features[name];
  const told = (given) => {
    const { [name]: _, ...others } = session.features;
    change({ features: given === "" ? others : { ...others, [name]: given } });
  };
  const input = values
    ? el("select", { id, onchange: () => told(input.value) }, ["", ...values].map((option) => el("option", { value: option, text: option ? named(option) : "not told", selected: option === (value ?? "") })))
    : el("input", { id, type: "number", step: "any", value: value === undefined ? "" : amount(value), onchange: () => told(input.value === "" ? "" : input.valueAsNumber) });
  return el("div", { class: "field" }, el("label", { htmlFor: id, text: named(name) }), input);
}
