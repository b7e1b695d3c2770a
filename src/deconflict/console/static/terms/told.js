// Terms as they stand on the screen: what they change, and every field of them.

import { h } from "../shell/dom.js";
import { t } from "../shell/words.js";

export const section = (id, title, inside) => h("section", { class: "stack", "aria-labelledby": id }, h("h2", { id }, title), inside);

export const inWords = ({ section: heading, name, was, proposed }) => `${heading}: ${name}: ${t("terms.change", { was, proposed })}`;

// A figure and its unit stand in one line: 1000 at the end of one and ft in the next is misread.
const unbroken = (text) => text.replace(/(\d) (?=\p{L})/gu, "$1\u00a0");

// What differs, each beside what it was.
export function changesOf(changes, version) {
  if (!changes.length) return h("p", {}, t("terms.nothing_else"));
  return h("table", { class: "compared" }, h("caption", {}, t("terms.changes", { count: changes.length, version })),
    h("thead", {}, h("tr", {}, [t("terms.what"), t("terms.was"), t("terms.becomes")].map((column) => h("th", { scope: "col" }, column)))),
    h("tbody", {}, changes.map((each) => h("tr", { class: "differs" },
      h("th", { scope: "row" }, `${each.section}: ${each.name}`), h("td", { dir: "auto" }, unbroken(each.was)), h("td", { dir: "auto" }, h("strong", {}, unbroken(each.proposed)))))));
}

// Every field, heading by heading, in the order in which the node says them.
export function fieldsOf({ rows }) {
  const headings = [...new Set(rows.map((row) => row.section))];
  return h("div", { class: "agreed" }, headings.map((heading) => h("div", {}, h("h3", {}, heading),
    h("dl", { class: "facts" }, rows.filter((row) => row.section === heading).flatMap(({ name, value }) => [h("dt", {}, name), h("dd", {}, unbroken(value))])))));
}
