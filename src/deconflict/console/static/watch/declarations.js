// What is declared now and next. Thousands of rows: only those in sight are drawn.

import { iso, now, utc, whileShown } from "../shell/clock.js";
import { h, Rows } from "../shell/dom.js";
import { named, quoted, t } from "../shell/words.js";

const ROW_PX = 34;
const SPARE = 10; // rows drawn above and below those in sight

export function declarationTable(desk) {
  const filter = h("input", { type: "search", "aria-label": t("declared.find"), placeholder: t("declared.find"), oninput: () => draw() });
  const body = h("tbody");
  const above = h("tr", { "aria-hidden": "true" }, h("td", { colspan: "6" }));
  const below = h("tr", { "aria-hidden": "true" }, h("td", { colspan: "6" }));
  const count = h("p", { class: "soft", role: "status" });
  const box = h("div", { class: "scroll declared", tabindex: "0", role: "region", "aria-label": t("watch.declared"), onscroll: () => place() },
    h("table", {}, h("thead", {}, h("tr", {}, ["when", "whose", "what", "from", "to", "state"].map((name) => h("th", { scope: "col" }, t(`declared.${name}`))))),
      h("tbody", {}, above), body, h("tbody", {}, below)));
  const rows = new Rows(body, (each) => `${each.party}/${each.declaration_id}`, (each) => row(each, desk));
  let all = [];
  let shown = [];
  whileShown(box, () => {
    if (new Date(now()).getUTCSeconds() !== 0) return;
    rows.redraw(); // what comes next may have become now
    draw();
  });

  function draw() {
    const wanted = filter.value.trim().toLowerCase();
    const at = iso(now());
    shown = all
      .filter((each) => !wanted || `${each.party} ${each.label ?? ""} ${each.purpose} ${each.declaration_id}`.toLowerCase().includes(wanted))
      .toSorted((one, other) => (one.start_utc <= at) !== (other.start_utc <= at) ? (one.start_utc <= at ? -1 : 1) : one.start_utc < other.start_utc ? -1 : 1);
    count.textContent = t("declared.count", { count: shown.length });
    place();
  }

  function place() {
    const first = Math.max(0, Math.floor(box.scrollTop / ROW_PX) - SPARE);
    const last = Math.min(shown.length, first + Math.ceil((box.clientHeight || 420) / ROW_PX) + 2 * SPARE);
    above.firstChild.style.height = `${first * ROW_PX}px`;
    below.firstChild.style.height = `${(shown.length - last) * ROW_PX}px`;
    above.hidden = first === 0;
    below.hidden = last === shown.length;
    rows.show(shown.slice(first, last));
  }

  return {
    node: h("div", {}, h("div", { class: "row" }, h("div", { class: "grow" }, filter), count), box),
    show(declarations) {
      all = declarations;
      draw();
    },
  };
}

function row(each, desk) {
  const at = iso(now());
  const said = [...new Set(Object.values(each.delivery))].map((state) => named("delivery", state)).join(", ") || t("declared.not_sent");
  const readback = each.own ? [...new Set(Object.values(each.readback))].map((state) => named("readback", state)).join(", ") : "";
  return h("tr", { class: each.own ? "out" : "in", data: { key: `${each.party}/${each.declaration_id}` } },
    h("td", {}, t(each.start_utc <= at ? "declared.now" : "declared.next")),
    h("td", { class: each.own ? "own" : "peer" }, each.own ? t("declared.own") : each.party),
    h("td", {}, `${each.drill ? `${t("drill.mark")} ` : ""}${named("purpose", each.purpose)}${each.label ? ` ${quoted(each.label)}` : ""}`),
    h("td", { class: "figure" }, utc(each.start_utc)),
    h("td", { class: "figure" }, utc(each.end_utc)),
    h("td", {}, [said, readback, each.not_reached.length ? t("declared.not_reached", { parties: each.not_reached.join(", ") }) : ""].filter(Boolean).join(" · ")));
}
