// Length and variety of the list, only-new, the comparison, and the colours.

import { byId, el, fill, newId } from "./dom.js";
import { nameOf } from "./for_you.js";
import { can, change, first, onChange, session } from "./session.js";

export function showToolbar() {
  const k = slider("How many", { min: 1, max: 48, step: 1, value: session.k }, String, (value) => change({ k: value }));
  const words = (value) => (value ? value.toFixed(2) : "off");
  const variety = slider("Variety", { min: 0, max: 1, step: 0.05, value: 0 }, words, (value) => change({ diversity: value }));
  const onlyNew = toggle("Only new to me", (isOn) => change({ newOnly: isOn }));
  const compare = toggle("Compare two models", (isOn) => change({ comparing: isOn }));
  const rivals = el("div", { id: "rivals" });
  fill(byId("toolbar"), k, variety, onlyNew, compare, rivals);
  onChange((names) => {
    if (!names.includes("servers") && !names.includes("comparing")) return;
    if (first()?.online) variety.hidden = !can("diversifies");
    drawRivals(rivals);
  });
}

function slider(label, range, words, told) {
  const id = newId("slider");
  const shown = el("output", { htmlFor: id, text: words(range.value) });
  const input = el("input", { id, type: "range", min: range.min, max: range.max, step: range.step, value: range.value });
  input.addEventListener("input", () => { shown.textContent = words(input.valueAsNumber); told(input.valueAsNumber); });
  return el("div", { class: "slider" }, el("label", { htmlFor: id, text: label }), shown, input);
}

function toggle(label, told) {
  const input = el("input", { type: "checkbox", role: "switch", onchange: () => told(input.checked) });
  return el("label", { class: "switch" }, input, el("span", { class: "track", "aria-hidden": "true" }), el("span", { text: label }));
}

// What the list can be compared with: other versions of the server, or another server.
function choices() {
  const others = (first()?.versions ?? []).slice(1).map((version) => ({ server: "first", version }));
  const second = session.servers[1];
  return second ? [{ server: "second", version: null }, ...others] : others;
}

function drawRivals(node) {
  if (!session.comparing) { fill(node); if (session.rival) change({ rival: null }); return; }
  const found = choices();
  if (!found.length) {
    const version = first()?.versions?.[0];
    fill(node, el("p", { class: "quiet", text: version === undefined
      ? "The server does not tell which versions it has."
      : `The server serves version ${version} only. Publish another, let it serve two (a model_version_policy), or start the page with --compare.` }));
    if (session.rival) change({ rival: null });
    return;
  }
  const key = JSON.stringify;
  const wanted = session.rival ?? found.find(({ version }) => version === session.compared) ?? found[0];
  const chosen = found.find((choice) => key(choice) === key(wanted)) ?? found[0];
  const id = newId("rival");
  const select = el("select", { id, onchange: () => change({ rival: found[select.selectedIndex] }) },
    found.map((choice) => el("option", { text: nameOf(choice), selected: choice === chosen })));
  fill(node, el("div", { class: "field" }, el("label", { htmlFor: id, text: "Compare with" }), select));
  if (key(session.rival) !== key(chosen)) change({ rival: chosen });
}

export function showTheme() {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const draw = () => byId("theme").setAttribute("aria-pressed", String(isDark()));
  byId("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
    draw();
  });
  dark.addEventListener("change", draw);
  draw();
}
