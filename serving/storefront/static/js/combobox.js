// A text field that lists what it finds while somebody types; all of it by keyboard too.

import { el, fill, newId } from "./dom.js";
import { newest } from "./api.js";

const PAUSE_MS = 120;

export function combobox({ label, placeholder, find, choose, enter, visibleLabel = true, keep = false }) {
  const listId = newId("options");
  const inputId = newId("field");
  const list = el("ul", { id: listId, class: "options", role: "listbox", hidden: true, "aria-label": `${label}: found` });
  const input = el("input", {
    id: inputId, type: "search", placeholder, autocomplete: "off", spellcheck: false, maxLength: 200,
    role: "combobox", "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list",
  });
  const latest = newest();
  let options = [];
  let active = -1;
  let waiting = 0;

  const open = (isOpen) => {
    list.hidden = !isOpen;
    input.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) mark(-1);
  };
  const mark = (place) => {
    active = place;
    [...list.children].forEach((node, n) => node.setAttribute?.("aria-selected", String(n === place)));
    const node = list.children[place];
    if (node && options.length) {
      input.setAttribute("aria-activedescendant", node.id);
      node.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };
  const take = (option) => {
    open(false);
    if (!keep) input.value = "";
    choose(option);
  };
  const draw = (found) => {
    options = found;
    fill(list, found.map((option) => el(
      "li", {
        id: newId("option"), role: "option", class: "option", "aria-selected": "false",
        onmousedown: (event) => event.preventDefault(), onclick: () => take(option),
      },
      el("span", { text: option.label }), option.detail ? el("small", { text: option.detail }) : null,
    )));
    if (!found.length) fill(list, el("li", { class: "option none", text: "nothing found", role: "option", "aria-disabled": "true" }));
    open(document.activeElement === input);
  };
  const look = () => latest((signal) => find(input.value, signal), {
    show: draw,
    fail: (trouble) => { options = []; fill(list, el("li", { class: "option none", text: trouble.message })); open(true); },
  });
  const lookSoon = () => { clearTimeout(waiting); waiting = setTimeout(look, PAUSE_MS); };

  input.addEventListener("input", lookSoon);
  input.addEventListener("focus", lookSoon);
  input.addEventListener("click", () => { if (list.hidden) lookSoon(); });
  input.addEventListener("blur", () => { clearTimeout(waiting); open(false); });
  input.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) {
      event.preventDefault();
      if (list.hidden) look();
      else if (options.length) {
        const from = active < 0 && event.key === "ArrowUp" ? options.length : active; // up from nowhere: the last
        mark((from + steps[event.key] + options.length) % options.length);
      }
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      open(false);
    } else if (event.key === "Enter") {
      event.preventDefault();
      clearTimeout(waiting);
      if (active >= 0 && options[active]) take(options[active]);
      else if (enter) { open(false); enter(input.value.trim()); }
    }
  });
  const title = el("label", { htmlFor: inputId, text: label, class: visibleLabel ? "label" : "hidden" });
  return { root: el("div", { class: "combobox" }, title, input, list), input };
}
