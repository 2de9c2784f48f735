// What the page is set to: the shopper, what they did, and what is wanted of the lists.

const ears = new Set();

export const session = {
  shop: null, // what /api/shop tells
  servers: [], // what /api/state tells
  compared: null,
  shopperId: null, // null: somebody new
  events: [], // oldest first: {item, event_type, timestamp, added}
  moment: null,
  features: {},
  filters: {}, // allow_NAME, block_NAME: [..]; min_NAME, max_NAME: number
  k: 12,
  diversity: 0,
  newOnly: false,
  comparing: false,
  rival: null, // {server, version}
};

export const onChange = (ear) => ears.add(ear);

export function change(patch) {
  Object.assign(session, patch);
  const names = Object.keys(patch);
  for (const ear of ears) ear(names);
}

export const first = () => session.servers[0];
export const can = (ability) => Boolean(first()?.[ability]);
export const heaviest = () => session.shop.event_types.at(-1);

export function add(item, eventType) {
  const last = session.events.at(-1)?.timestamp ?? 0;
  const timestamp = Math.max(session.moment, last + 1);
  const events = [...session.events, { item, event_type: eventType, timestamp, added: true }];
  change({ events: events.slice(-1000), moment: timestamp + 1 });
}

export const remove = (event) => change({ events: session.events.filter((other) => other !== event) });

export function visitor() {
  const events = session.events.map(({ item, event_type, timestamp }) => ({ item_id: item.item_id, event_type, timestamp }));
  return { events, moment: session.moment, features: session.features };
}

export const listing = () => ({ k: session.k, filters: session.filters });

export function forVisitor(model) {
  const asked = { visitor: visitor(), new_only: session.newOnly, diversity: session.diversity, ...listing() };
  return model ? { ...asked, model } : asked;
}

// What was taken just now, else the newest visit.
export function basket() {
  const taken = session.events.filter((event) => event.event_type === heaviest());
  const now = taken.filter((event) => event.added);
  const visit = taken.filter((event) => event.timestamp === taken.at(-1).timestamp);
  const items = new Map((now.length ? now : visit).map((event) => [event.item.item_id, event.item]));
  return { items: [...items.values()].slice(-20), isNow: now.length > 0 };
}
