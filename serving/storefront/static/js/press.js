// Whether a mouse or a finger is down: what it is on must stay until it is up, or the click is lost.

const LONGEST_MS = 5000;

let isUp = Promise.resolve();
let letGo = () => {};

addEventListener("pointerdown", () => {
  letGo();
  isUp = new Promise((resolve) => { letGo = resolve; });
  setTimeout(letGo, LONGEST_MS); // who leaves the window with it down never tells
}, true);
// The click itself comes right after this event.
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(letGo), true);

export const released = () => isUp;
