// Talks to the page's own server. Whatever goes wrong becomes a Trouble with words.

import { released } from "./press.js";

const LONGEST_MS = 60_000;

export class Trouble extends Error {
  constructor(kind, says) {
    super(says);
    this.kind = kind;
  }

  get isOffline() {
    return this.kind === "Unavailable" || this.kind === "PageUnavailable";
  }
}

const ears = { calls: new Set(), trouble: new Set() };
export const onCalls = (ear) => ears.calls.add(ear);
export const onTrouble = (ear) => ears.trouble.add(ear);

export const get = (path, signal) => ask(path, { signal });

export async function post(name, body, signal) {
  const began = performance.now();
  const headers = { "content-type": "application/json" };
  const answer = await ask(`/api/${name}`, { method: "POST", headers, body: JSON.stringify(body), signal });
  const pageMs = performance.now() - began;
  for (const ear of ears.calls) ear({ name, body, answer, pageMs });
  return { ...answer, pageMs };
}

async function ask(path, options) {
  try {
    return await fetched(path, options);
  } catch (trouble) {
    if (trouble.kind !== "Aborted") for (const ear of ears.trouble) ear(trouble);
    throw trouble;
  }
}

async function fetched(path, { signal, ...options }) {
  const late = AbortSignal.timeout(LONGEST_MS);
  let response;
  let content;
  try {
    response = await fetch(path, { ...options, signal: signal ? AbortSignal.any([signal, late]) : late });
    content = await response.json();
  } catch (error) {
    if (signal?.aborted) throw new Trouble("Aborted", "a newer question took its place");
    if (late.aborted) throw new Trouble("DeadlineExceeded", `no answer within ${LONGEST_MS / 1000} s`);
    if (response) throw new Trouble("PageFault", `the page's server answered ${response.status} without JSON`);
    throw new Trouble("PageUnavailable", "the page's own server does not answer; is tfrs-app storefront still running?");
  }
  if (!response.ok) {
    const told = content?.error ?? { kind: "PageFault", says: `status ${response.status}` };
    throw new Trouble(told.kind, told.says);
  }
  return content;
}

// Keeps only the newest question: older ones are aborted, and their answers never shown.
export function newest() {
  let running = null;
  return async (question, { begin, show, fail }) => {
    running?.abort();
    const own = new AbortController();
    running = own;
    begin?.();
    try {
      const answer = await question(own.signal);
      await released();
      if (running === own) show(answer);
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      await released();
      if (running === own && trouble.kind !== "Aborted") fail(trouble);
    }
  };
}
