// Numbers, dates and names as people read them.

const FEW = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const WHOLE = new Intl.NumberFormat("en");
const DAY = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

export const whole = (number) => WHOLE.format(number);
export const few = (number) => (number !== 0 && Math.abs(number) < 1e-4 ? number.toExponential(1) : FEW.format(number));
export const percent = (share) => (share > 0 && share < 0.0001 ? "<0.01 %" : `${FEW.format(share * 100)} %`);
export const day = (seconds) => DAY.format(new Date(seconds * 1000));
export const ms = (number) => (number < 10 ? `${number.toFixed(1)} ms` : `${Math.round(number)} ms`);
export const named = (name) => {
  const spaced = name.replaceAll("_", " ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
};
export const some = (count, noun) => `${whole(count)} ${noun}${count === 1 ? "" : "s"}`;
export const amount = (value) => (Number.isInteger(value) ? whole(value) : value.toFixed(2));
export const short = (id) => (id.length > 14 ? `${id.slice(0, 10)}…` : id);

// Shouted texts are calmed; anything else is shown as it is.
export function calm(text) {
  const shouted = text.length > 3 && text === text.toUpperCase() && text !== text.toLowerCase();
  return shouted ? text.charAt(0) + text.slice(1).toLowerCase() : text;
}

export function hueOf(text) {
  let hash = 7;
  for (const letter of text) hash = (hash * 31 + letter.codePointAt(0)) % 100_003;
  return (hash * 137.508) % 360; // neighbours in number are far apart in colour
}

export const SOURCES = {
  two_tower: ["Taste", "proposed by the two towers: near to what the shopper likes"],
  repeat: ["Again", "the shopper had it before"],
  bought_together: ["Together", "others have it together with items of the history"],
  popular: ["Popular", "many have it of late"],
  new: ["New", "new in the shop"],
};

export const FATES = {
  unknown: "The catalogue of the model does not have it.",
  gone: "It is no longer on sale.",
  excluded: "The request leaves it out: it is in the history, and only new items are wanted.",
  filtered: "A filter does not allow it.",
  not_proposed: "No source proposes it as a candidate, so the ranker never sees it.",
  listed: "It is on the list.",
  made_way: "Its score would do, but it made way for variety or for a new item.",
  outranked: "It is a candidate, but others score higher.",
};
