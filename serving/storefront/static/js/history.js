// What the shopper did, newest first; single events can be taken out.

import { byId, el, fill, say } from "./dom.js";
import { openItem } from "./item.js";
import { change, onChange, remove, session } from "./session.js";
import { day, hueOf, named, whole } from "./words.js";

const SHOWN = 5;
let all = false;

export function showHistory() {
  onChange((names) => { if (names.includes("events")) draw(); });
  draw();
}

function draw() {
  const { events } = session;
  byId("history-count").textContent = whole(events.length);
  if (!events.length) {
    fill(byId("history"), el("p", { class: "quiet", text: "Nothing yet. Look for items above, or take some of those shown: the lists change at once." }));
    return;
  }
  const newest = [...events].reverse();
  const shown = all ? newest : newest.slice(0, SHOWN);
  const more = events.length > SHOWN
    ? el("button", { type: "button", class: "ghost", text: all ? "Show the newest only" : `Show all ${whole(events.length)}`, onclick: () => { all = !all; draw(); } })
    : null;
  const clear = el("button", { type: "button", class: "ghost", text: "Forget all", onclick: () => { change({ events: [] }); say("The history is empty."); } });
  fill(byId("history"), el("ol", { class: "events", reversed: true }, shown.map(line)), el("div", { class: "row" }, more, clear));
}

function line(event) {
  const { item } = event;
  const group = item.facts.find((fact) => typeof fact.value === "string")?.value ?? "";
  return el(
    "li", { class: event.added ? "event added" : "event", hue: hueOf(group) },
    el("button", { type: "button", class: "link", text: item.title, title: item.text, onclick: () => openItem(item) }),
    el("span", { class: "quiet", text: `${named(event.event_type)} · ${event.added ? "just now" : day(event.timestamp)}` }),
    el("button", {
      type: "button", class: "ghost small", "aria-label": `Take ${item.title} out of the history`, text: "×",
      onclick: () => { remove(event); say(`${item.title} is out of the history.`); },
    }),
  );
}
