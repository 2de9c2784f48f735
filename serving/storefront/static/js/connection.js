// Knows how the model servers are, says so, and notices by itself when they are back.

import { get, onTrouble } from "./api.js";
import { byId, say } from "./dom.js";
import { change, session } from "./session.js";

const ONLINE_MS = 10_000;
const OFFLINE_MS = 1500;

const waiting = new Set();
let timer = 0;
let looking = false;
let lookedAt = 0;
let doubted = false;

export function watchConnection() {
  onTrouble((trouble) => {
    if (!trouble.isOffline && trouble.kind !== "DeadlineExceeded") return;
    doubted = true;
    soon(OFFLINE_MS - (Date.now() - lookedAt));
  });
  look();
}

// Acts once, as soon as the first server is seen to answer.
export const onceReached = (act) => waiting.add(act);

function soon(wait) {
  clearTimeout(timer);
  timer = setTimeout(look, wait);
}

async function look() {
  if (looking) return;
  looking = true;
  lookedAt = Date.now();
  doubted = false;
  let servers;
  let compared = session.compared;
  try {
    ({ servers, compared } = await get("/api/state"));
  } catch (trouble) {
    servers = session.servers.map((server) => ({ ...server, online: false, error: { says: trouble.message } }));
    if (!servers.length) servers = [{ name: "first", address: "", online: false, error: { says: trouble.message } }];
  }
  looking = false;
  const was = session.servers[0]?.online;
  const kept = servers.map((server, n) => ({ ...session.servers[n], ...server }));
  if (JSON.stringify(kept) !== JSON.stringify(session.servers)) change({ servers: kept, compared });
  show(kept[0], was);
  soon(kept[0].online && !doubted ? ONLINE_MS : OFFLINE_MS);
  if (kept[0].online) reached();
}

function reached() {
  const acts = [...waiting];
  waiting.clear();
  for (const act of acts) act();
}

function show(server, was) {
  const pill = byId("connection");
  pill.dataset.state = server.online ? "online" : "offline";
  const version = server.versions?.[0];
  const says = server.online ? `version ${version ?? "?"}` : "offline";
  if (byId("connection-says").textContent !== says) byId("connection-says").textContent = says;
  pill.title = server.address;
  const banner = byId("trouble");
  banner.hidden = server.online;
  const words = server.online ? "" : `The model server is offline. ${server.error?.says ?? ""}. The page tries again by itself; what you do meanwhile is kept.`;
  if (banner.textContent !== words) banner.textContent = words;
  if (server.online && was === false) say("The model server is back.");
}
