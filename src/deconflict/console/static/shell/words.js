// The console's own words, in the reader's language. What people say to each other comes from the
// node, already in it; here are headings, buttons and the names of states.

let texts = {};
let plural = new Intl.PluralRules("en");
export let language = "en";

const RIGHT_TO_LEFT = new Set(["ar"]);

export async function speak(wanted) {
  const response = await fetch(`/console/words/${wanted}.json`);
  if (!response.ok) throw new Error(`no words for ${wanted}`);
  texts = await response.json();
  language = wanted;
  plural = new Intl.PluralRules(wanted);
  document.documentElement.lang = wanted;
  document.documentElement.dir = RIGHT_TO_LEFT.has(wanted) ? "rtl" : "ltr";
}

// t("frame.urgent", { count: 3 }): the words of a key, its {placeholders} filled. A word with forms
// for numbers is a table by the categories of CLDR and is chosen by `count`.
export function t(key, values = {}) {
  const found = texts[key];
  if (found === undefined) throw new Error(`no words for ${key} in ${language}`);
  const text = typeof found === "string" ? found : (found[plural.select(values.count)] ?? found.other);
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? isolate(values[name]) : whole));
}

// The name of a state, kind or code of the node: in words where the catalogue has it, else as it is.
export function named(table, code) {
  const found = texts[`${table}.${code}`];
  return found === undefined ? String(code).replaceAll("_", " ").toLowerCase() : found;
}

// A whole table of names: {code: name}.
export const words = (table) => Object.fromEntries(Object.entries(texts).filter(([key]) => key.startsWith(`${table}.`)).map(([key, text]) => [key.slice(table.length + 1), text]));

// What somebody wrote, in quotes; whatever it holds turns nothing beside it.
export const quoted = (text) => `“\u2068${text}\u2069”`;

// A value keeps its own direction within text that runs the other way.
const isolate = (value) => (document.documentElement.dir === "rtl" ? `\u2068${value}\u2069` : String(value));
