// What is declared now and next. Thousands of rows: only those in sight are drawn.

import { iso, now, utc, whileShown } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { Scrolled } from "../shell/scrolled.js";
import { named, quoted, t } from "../shell/words.js";

const ROW_PX = 46;
const COLUMNS = { when: "tiny", whose: "small", what: "", from: "", to: "", state: "" }; // and how wide

export function declarationTable(desk) {
  const filter = h("input", { type: "search", "aria-label": t("declared.find"), placeholder: t("declared.find"), oninput: () => draw() });
  const count = h("p", { class: "soft", role: "status" });
  const table = h("table", { class: "rows" }, h("colgroup", {}, Object.values(COLUMNS).map((wide) => h("col", { class: wide }))),
    h("thead", {}, h("tr", {}, Object.keys(COLUMNS).map((name) => h("th", { scope: "col" }, t(`declared.${name}`))))));
  const box = h("div", { class: "scroll declared", tabindex: "0", role: "region", "aria-label": t("watch.declared") }, table);
  const rows = new Scrolled(box, table, Object.keys(COLUMNS).length, ROW_PX, row, fill);
  let [all, known] = [[], false];
  let next = null; // when the next of those to come begins
  whileShown(box, () => {
    if (next !== null && iso(now()) >= next) draw(); // what comes next has become now
  });

  function draw() {
    const wanted = filter.value.trim().toLowerCase();
    const at = iso(now());
    const found = all.filter((each) => !wanted || `${each.party} ${each.label ?? ""} ${each.purpose} ${each.declaration_id}`.toLowerCase().includes(wanted));
    const [under, later] = [found.filter((each) => each.start_utc <= at), found.filter((each) => each.start_utc > at)];
    for (const part of [under, later]) part.sort((one, other) => (one.start_utc < other.start_utc ? -1 : one.start_utc > other.start_utc ? 1 : 0));
    next = later[0]?.start_utc ?? null;
    count.textContent = known ? t("declared.count", { count: found.length }) : t("watch.reading");
    rows.show([...under, ...later]);
    rows.refresh();
  }

  return {
    node: h("div", {}, h("div", { class: "row" }, h("div", { class: "grow" }, filter), count), box),
    show(declarations, read) {
      [all, known] = [declarations, read];
      draw();
    },
  };
}

function row() {
  const cells = Object.keys(COLUMNS).map((name) => h("td", { class: name === "from" || name === "to" ? "figure" : "" }, h("div", {})));
  const node = h("tr", {}, cells);
  node.boxes = cells.map((cell) => cell.firstChild);
  return node;
}

function fill(node, each) {
  const at = iso(now());
  const said = [...new Set(Object.values(each.delivery))].map((state) => named("delivery", state)).join(", ") || t("declared.not_sent");
  const readback = each.own ? [...new Set(Object.values(each.readback))].map((state) => named("readback", state)).join(", ") : "";
  const missed = each.not_reached.length ? t("declared.not_reached", { parties: each.not_reached.join(", ") }) : "";
  node.className = each.own ? "out" : "in";
  node.dataset.key = `${each.party}/${each.declaration_id}`;
  node.boxes[1].className = each.own ? "own" : "peer";
  [
    t(each.start_utc <= at ? "declared.now" : "declared.next"),
    each.own ? t("declared.own") : each.party,
    `${each.drill ? `${t("drill.mark")} ` : ""}${named("purpose", each.purpose)}${each.label ? ` ${quoted(each.label)}` : ""}`,
    utc(each.start_utc), utc(each.end_utc),
    [said, readback, missed].filter(Boolean).join(" · "),
  ].forEach((text, column) => {
    if (node.boxes[column].textContent === text) return;
    node.boxes[column].textContent = text;
    node.boxes[column].title = text; // whole also where two lines do not hold it
  });
}
