// JSON on lines that people can read: lists of plain values stay on one.

const isPlain = (value) => value === null || typeof value !== "object";

export function pretty(value, indent = "") {
  if (isPlain(value)) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.every(isPlain)) return `[${value.map((entry) => JSON.stringify(entry)).join(", ")}]`;
    if (value.length === 1) return `[${pretty(value[0], indent)}]`;
    return `[\n${value.map((entry) => inner + pretty(entry, inner)).join(",\n")}\n${indent}]`;
  }
  const lines = Object.entries(value).map(([name, entry]) => `${inner}${JSON.stringify(name)}: ${pretty(entry, inner)}`);
  return lines.length ? `{\n${lines.join(",\n")}\n${indent}}` : "{}";
}
