// The table of what the map shows: a row for each declaration and each finding, in one grid that the
// arrow keys go through. What it is filtered to is what the map shows.

import { iso, utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { Scrolled } from "../shell/scrolled.js";
import { named, t } from "../shell/words.js";
import { whatOf } from "./marks.js";
import { altitude, bandOf } from "./things.js";

const ROW_PX = 46;
const WIDE = { whose: "", what: "", when: "wide", height: "wide", findings: "small" };
const COLUMNS = Object.keys(WIDE);
const SHOWN = ["all", "own", "peer", "findings"];
let rows = 0;

// choose(thing) is called when a row is selected; filtered() when another choice was made.
export class List {
  #choose; #items = []; #at = 0; #selected = null; #scrolled; #byKey = new Map();
  #words = h("input", { type: "search", "aria-label": t("map.find"), placeholder: t("map.find") });
  #whose = h("select", { "aria-label": t("map.show") }, SHOWN.map((value) => h("option", { value }, t(`map.show_${value}`))));
  #now = h("input", { type: "checkbox" });
  #count = h("p", { class: "soft", role: "status" });
  #grid = h("table", { role: "grid", tabindex: "0", "aria-label": t("map.table"), class: "rows" },
    h("colgroup", {}, Object.values(WIDE).map((wide) => h("col", { class: wide }))),
    h("thead", {}, h("tr", { "aria-rowindex": "1" }, COLUMNS.map((name) => h("th", { scope: "col" }, t(`map.${name}`))))));
  #box = h("div", { class: "scroll listed" }, this.#grid);

  constructor(choose, filtered) {
    this.#choose = choose;
    this.#scrolled = new Scrolled(this.#box, this.#grid, COLUMNS.length, ROW_PX, () => this.#make(), (row, item, at) => this.#fill(row, item, at));
    for (const control of [this.#words, this.#whose, this.#now]) control.addEventListener("input", filtered);
    this.#grid.addEventListener("keydown", (event) => this.#key(event));
    this.node = h("div", { class: "stack" },
      h("div", { class: "row" }, h("div", { class: "grow" }, this.#words), this.#whose, h("label", { class: "row" }, this.#now, t("map.only_now")), this.#count), this.#box);
  }

  get onlyNow() {
    return this.#now.checked;
  }

  // True exactly when a thing or finding is of what was chosen above the table.
  wants(each, at) {
    const whose = this.#whose.value;
    if (whose === "findings" ? !each.conflict && !each.findings.length : whose !== "all" && (each.conflict || each.own !== (whose === "own"))) return false;
    if (this.#now.checked && !(each.from <= at && at <= each.to)) return false;
    const words = this.#words.value.trim().toLowerCase();
    return !words || textOf(each).includes(words);
  }

  show(items, at) {
    [this.#items, this.#at] = [items, at];
    this.#byKey = new Map(items.map((each, place) => [each.key, place]));
    this.#count.textContent = t("map.count", { count: items.length });
    this.#grid.setAttribute("aria-rowcount", String(items.length + 1));
    this.#scrolled.show(items);
    this.#active();
  }

  // Only what depends on the time is written anew.
  time(at) {
    this.#at = at;
    this.#scrolled.refresh();
  }

  select(each) {
    this.#selected = each?.key ?? null;
    const at = this.#byKey.get(this.#selected);
    if (at !== undefined) this.#scrolled.reveal(at);
    this.#scrolled.refresh();
    this.#active();
  }

  #key(event) {
    const at = this.#byKey.get(this.#selected) ?? -1;
    const steps = { ArrowDown: 1, ArrowUp: at < 0 ? 0 : -1, PageDown: this.#scrolled.page, PageUp: -this.#scrolled.page, Home: -Infinity, End: Infinity };
    if (!(event.key in steps) || event.altKey || event.ctrlKey || event.metaKey || !this.#items.length) return;
    event.preventDefault();
    this.#choose(this.#items[Math.max(0, Math.min(this.#items.length - 1, at + steps[event.key]))]);
  }

  #active() {
    const row = this.#grid.querySelector('tr[aria-selected="true"]');
    if (row) this.#grid.setAttribute("aria-activedescendant", row.id);
    else this.#grid.removeAttribute("aria-activedescendant");
  }

  #make() {
    const cells = COLUMNS.map((name) => h("td", { class: name === "when" || name === "height" ? "figure" : "" }, h("div", {})));
    const row = h("tr", { id: `row-${++rows}`, onclick: () => this.#choose(row.item) }, cells);
    row.boxes = cells.map((cell) => cell.firstChild);
    return row;
  }

  #fill(row, each, at) {
    if (row.item !== each) {
      row.item = each;
      row.className = each.conflict ? "finding" : each.own ? "out" : "in";
      row.dataset.key = each.key;
      const [whose, what, when, , findings] = row.boxes;
      write(whose, each.conflict ? t("map.finding") : each.own ? t("declared.own") : each.declaration.party);
      whose.className = each.conflict ? "overdue" : each.own ? "own" : "peer";
      write(what, each.conflict ? `${named("verdict", each.conflict.verdict)}: ${each.conflict.first_party} · ${each.conflict.second_party}` : whatOf(each));
      write(when, `${utc(iso(each.from))}\n${utc(iso(each.to))}`);
      write(findings, each.conflict || !each.findings.length ? "" : `⊗ ${each.findings.length}`);
    }
    write(row.boxes[3], heightOf(each, this.#at));
    row.setAttribute("aria-rowindex", String(at + 2));
    const chosen = each.key === this.#selected;
    if ((row.getAttribute("aria-selected") === "true") !== chosen || !row.hasAttribute("aria-selected")) row.setAttribute("aria-selected", String(chosen));
  }
}

function write(box, text) {
  if (box.textContent === text) return;
  box.textContent = text;
  box.title = text;
}

const texts = new WeakMap();
function textOf(each) {
  if (!texts.has(each)) {
    const { declaration: one, conflict } = each;
    texts.set(each, (conflict ? conflict.text : `${one.party} ${one.label ?? ""} ${one.purpose} ${named("purpose", one.purpose)} ${one.declaration_id}`).toLowerCase());
  }
  return texts.get(each);
}

// How high at a time; a dash while it is not under way.
export function heightOf(each, at, whole = {}) {
  if (each.conflict || !(each.from <= at && at <= each.to)) return "–";
  if (!each.waypoints) {
    const part = each.parts.find((one) => one.from <= at && at <= one.to);
    return part ? bandOf(part, whole) : "–";
  }
  const next = each.waypoints.findIndex((point) => point.at >= at);
  const [one, other] = [each.waypoints[Math.max(0, next - 1)], each.waypoints[next]];
  const share = other.at === one.at ? 0 : (at - one.at) / (other.at - one.at);
  return altitude(one.height + (other.height - one.height) * share, each.reference, whole);
}
