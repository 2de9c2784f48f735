// A part of the page that shows answers: waiting, stale, wrong and empty all look different.

import { newest } from "./api.js";
import { onceReached } from "./connection.js";
import { el, fill } from "./dom.js";

const SLOW_MS = 900;
const PAUSE_MS = 80;

export function panel(node, meta, { empty, skeleton }) {
  const latest = newest();
  let again = null;
  let waiting = 0;
  let slow = 0;
  const settle = () => { clearTimeout(slow); node.removeAttribute("aria-busy"); node.classList.remove("slow"); };

  async function ask(question, draw) {
    again = () => ask(question, draw);
    await latest(question, {
      begin: () => {
        clearTimeout(slow);
        node.setAttribute("aria-busy", "true");
        if (!node.querySelector("[data-item]")) fill(node, skeleton ? skeleton() : el("p", { class: "quiet", text: "asking …" }));
        slow = setTimeout(() => { node.classList.add("slow"); meta.textContent = "The server takes its time …"; }, SLOW_MS);
      },
      show: (answer) => {
        settle();
        node.classList.remove("stale");
        const [content, words] = draw(answer);
        meta.textContent = words;
        fill(node, content ?? el("p", { class: "quiet empty", text: empty }));
      },
      fail: (trouble) => {
        settle();
        const kept = node.querySelector("[data-item]");
        node.classList.toggle("stale", Boolean(kept));
        meta.textContent = kept ? "No new answer: these are the last ones." : "";
        let failure = node.querySelector(".failure");
        // The same trouble again is not announced again.
        if (failure?.querySelector("p").textContent !== sentence(trouble)) {
          failure?.remove();
          failure = el(
            "div", { class: "failure", role: "alert" },
            el("p", { text: sentence(trouble) }), el("button", { type: "button", text: "Try again", onclick: () => again() }),
          );
          if (kept) node.prepend(failure);
          else fill(node, failure);
        }
        if (trouble.isOffline) onceReached(() => { if (failure.isConnected) again(); });
      },
    });
  }
  // Changes that follow each other closely become one question.
  function soon(act) {
    node.setAttribute("aria-busy", "true");
    clearTimeout(waiting);
    waiting = setTimeout(act, PAUSE_MS);
  }

  function clear(words) {
    latest(async () => null, { show: settle, fail: settle });
    meta.textContent = words;
    fill(node);
  }
  return { ask, soon, clear };
}

const WORDS = {
  InvalidRequest: "The model does not take this request",
  AccessDenied: "The server does not let this page in",
  ModelNotFound: "The server has no such model or version",
  Overloaded: "The server is at its limit",
  Unavailable: "The model server is not reached",
  DeadlineExceeded: "The server was too slow",
  ServerFault: "The server failed",
  WrongAnswer: "The server's answer can't be true",
};

export function sentence(trouble) {
  const head = WORDS[trouble.kind];
  return head ? `${head}: ${trouble.message}` : trouble.message;
}
