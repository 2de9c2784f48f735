// What went to the model server and came back, to the letter, and how long it took.

import { onCalls, post } from "./api.js";
import { byId, el, fill, say } from "./dom.js";
import { panel } from "./panel.js";
import { pretty } from "./pretty.js";
import { first, forVisitor, session } from "./session.js";
import { ms } from "./words.js";

const KEPT = 20;
const calls = [];
let chosen = null;

export function showDeveloper() {
  const list = el("ol", { class: "calls", "aria-label": "Calls, newest first" });
  const detail = el("div", { class: "exchange" });
  const meta = el("p", { class: "quiet", role: "status" });
  const stages = el("div", { id: "stages" });
  const measured = panel(stages, meta, { empty: "" });
  const measure = el("button", { type: "button", text: "Measure each stage", onclick: () => measured.ask((signal) => post("stages", forVisitor(), signal), drawStages) });
  fill(
    byId("developer-body"),
    el("section", {}, el("h3", { text: "Stages" }), el("p", { class: "quiet", text: "Asks each signature alone for the present shopper: once unmeasured, then five times. The times are those of the page's server until the client has the answer, way included. retrieve and rank embed the shopper again, so the parts do not add up to the whole." }), measure, meta, stages),
    el("section", {}, el("h3", { text: "Calls" }), el("div", { class: "calls-grid" }, list, detail)),
  );
  onCalls(({ answer, pageMs }) => {
    for (const call of answer.calls ?? []) calls.unshift({ ...call, pageMs });
    calls.length = Math.min(calls.length, KEPT);
    chosen = calls[0] ?? null;
    if (calls.length) byId("developer-meta").textContent = `last call ${ms(calls[0].ms)}`;
    if (byId("developer").open) draw(list, detail);
  });
  byId("developer").addEventListener("toggle", () => draw(list, detail));
}

function draw(list, detail) {
  fill(list, calls.map((call) => el("li", {}, el("button", {
    type: "button", class: "call", "aria-pressed": String(call === chosen),
    onclick: () => { chosen = call; draw(list, detail); },
  }, el("code", { text: call.signature }), el("span", { text: ms(call.ms) })))));
  if (!chosen) { fill(detail, el("p", { class: "quiet", text: "No call yet." })); return; }
  const isRest = first()?.address.startsWith("http");
  const way = isRest ? "the bodies that went over REST" : "it went over gRPC; written as REST has it";
  const copy = el("button", { type: "button", class: "small", text: "Copy as curl", onclick: () => copyCurl(chosen.request) });
  fill(
    detail,
    el("p", { class: "quiet", text: `${ms(chosen.ms)} from the page's server to the model and back; ${ms(chosen.pageMs)} as the browser saw the page's request (${way})` }),
    el("h4", {}, "Request ", copy), el("pre", { tabIndex: 0, id: "request-json", text: pretty(chosen.request) }),
    el("h4", { text: "Response" }), el("pre", { tabIndex: 0, id: "response-json", text: pretty(chosen.response) }),
  );
}

async function copyCurl(request) {
  const address = first()?.address ?? "";
  const place = address.startsWith("http") ? address : "http://HOST:REST_PORT";
  const body = JSON.stringify(request).replaceAll("'", "'\\''");
  try {
    await navigator.clipboard.writeText(`curl -s -d '${body}' ${place}/v1/models/${session.shop.shop}:predict`);
    say("The command is copied.");
  } catch {
    say("The browser does not let this page copy.");
  }
}

function drawStages({ stages }) {
  const most = Math.max(...stages.map((stage) => stage.median_ms));
  const rows = stages.map((stage) => el(
    "tr", { "data-stage": stage.signature },
    el("th", { scope: "row" }, el("code", { text: stage.signature }), el("small", { text: stage.note })),
    el("td", {}, el("span", { class: "meter", share: stage.median_ms / most, "aria-hidden": "true" })),
    el("td", { class: "figure", text: ms(stage.median_ms) }), el("td", { class: "figure quiet", text: `${ms(stage.least_ms)} to ${ms(stage.most_ms)}` }),
  ));
  const head = el("thead", {}, el("tr", {}, ["signature", "", "median", "least to most"].map((text) => el("th", { scope: "col", text }))));
  return [el("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Times of the stages" }, el("table", {}, head, el("tbody", {}, rows))), ""];
}
