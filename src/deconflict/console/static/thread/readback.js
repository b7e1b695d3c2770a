// A readback beside what was declared, field by field; what differs stands out by word and shape.

import { h } from "../shell/dom.js";
import { post } from "../shell/node.js";
import { t } from "../shell/words.js";

// The table of a readback: before it is sent, or as the machines compared it.
export function readbackTable(rows) {
  const differing = rows.filter((row) => row.difference !== null);
  return h("div", { class: "stack" },
    h("p", { class: differing.length ? "overdue" : "verified" }, differing.length ? t("compare.differs", { count: differing.length }) : t("compare.agrees")),
    h("table", {}, h("thead", {}, h("tr", {}, ["field", "declared", "read_back", "state"].map((name) => h("th", { scope: "col" }, t(`compare.${name}`))))),
      h("tbody", {}, rows.map((row) => h("tr", { class: row.difference === null ? "" : "differs" },
        h("th", { scope: "row" }, row.name), h("td", { dir: "auto" }, row.sent), h("td", { dir: "auto" }, row.read_back),
        h("td", {}, !row.compared ? t("compare.not_compared") : row.difference === null ? t("compare.same") : h("strong", {}, `≠ ${t("compare.differing")}`)))))),
    differing.map((row) => h("p", { class: "soft", dir: "auto" }, row.difference)));
}

// What would be sent, compared by the node; nothing is sent by it.
export const tried = (ref, values) => post(`/messages/${ref}/readback`, { values }).then(readbackTable);
