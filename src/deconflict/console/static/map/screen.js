// The map of everything declared beside its table. What is selected in one is selected in the other;
// one time says where each is. The table comes first and says all that the map shows.

import { iso, local, now, utc, whileShown } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { named, t } from "../shell/words.js";
import { List, heightOf } from "./list.js";
import { findingOf, nameOf } from "./marks.js";
import { Moving } from "./moving.js";
import { sheet } from "./sheet.js";
import { CHOICES, choose as chooseSymbols, chosen, ready } from "./symbols.js";
import { thingOf } from "./things.js";

const SETTLE_MS = 400; // what costs more than symbols waits until the time rests
const MOST_LINKS = 10;
const READ_MS = 200; // figures in the table follow the slider so often; nobody reads faster
const FOLLOW_MS = 10_000;
const MINUTE = 60_000;
await sheet; // nothing is measured before it

export function open(main, desk) {
  const { world, frame, me } = desk;
  let all = [];
  let findings = [];
  let items = [];
  let selected = null;
  let picture = null;
  let at = Math.floor(now() / MINUTE) * MINUTE;
  let settle = null;
  let reading = null;
  let closed = false;
  let following = true; // the time shown is now, until somebody moves it
  let flights = [];
  let moving = new Moving([]);

  const list = new List((each) => select(each, { toMap: true }), () => filter());
  const box = h("div", { class: "picture wide" });
  const slider = h("input", { type: "range", step: "1000", "aria-label": t("map.time"), oninput: () => show(Number(slider.value), { held: true }), onchange: () => settled(), onkeydown: (event) => key(event) });
  const when = h("output", { class: "figure" });
  const under = h("span", { class: "soft", "data-under-way": true });
  const toNow = h("button", { type: "button", onclick: () => show(clamp(now()), { follow: true }) }, t("map.to_now"));
  const facts = h("div", { class: "chosen", role: "status" });
  const symbols = h("select", { onchange: frame.act(() => chooseSymbols(me.account, symbols.value).then(() => picture?.symbols(symbols.value))) },
    CHOICES.map((value) => h("option", { value, selected: value === chosen(me.account) }, t(`map.symbols_${value}`))));
  main.replaceChildren(h("div", { class: "mapped" },
    h("section", { "aria-labelledby": "h-table" }, h("h2", { id: "h-table" }, t("map.table")), list.node),
    h("section", { "aria-labelledby": "h-map" },
      h("div", { class: "row" }, h("h2", { id: "h-map", class: "grow" }, t("screen.map")), h("label", { class: "row" }, t("map.symbols"), symbols)),
      box,
      h("div", { class: "row" }, when, under, toNow), slider,
      h("p", { class: "soft legend" }, t("map.legend")), facts)));

  whileShown(toNow, () => {
    if (following && Math.abs(now() - at) >= FOLLOW_MS) show(clamp(now()), { follow: true });
  });
  const ends = [world.on(["declarations", "conflicts"], () => take())];
  import("./picture.js").then(async ({ Picture }) => {
    await ready(chosen(me.account));
    if (closed) return;
    picture = await Picture.open(box, { choice: chosen(me.account), label: t("map.picture"), whole: () => all, pick: (each) => select(each, { toMap: false }) });
    if (!picture) box.replaceChildren(h("p", { class: "soft" }, t("map.no_picture")));
    if (closed) return picture?.end();
    redraw();
  }).catch(frame.problem);
  return () => {
    closed = true;
    clearTimeout(settle);
    clearTimeout(reading);
    ends.forEach((end) => end());
    picture?.end();
  };

  function take() {
    const of = new Map();
    findings = world.conflicts.map((conflict) => {
      const finding = findings.find((each) => each.conflict === conflict) ?? findingOf(conflict);
      for (const which of ["first", "second"]) {
        const key = `${conflict[`${which}_party`]}/${conflict[`${which}_declaration`]}`;
        of.set(key, [...(of.get(key) ?? []), finding]);
      }
      return finding;
    });
    all = world.declarations.map((declaration) => {
      const thing = thingOf(declaration);
      thing.findings = of.get(thing.key) ?? [];
      return thing;
    });
    all.sort((one, other) => one.from - other.from);
    const first = all.reduce((least, each) => Math.min(least, each.from), now());
    const last = all.reduce((most, each) => Math.max(most, each.to), now() + 60 * MINUTE);
    [slider.min, slider.max] = [Math.floor(first / MINUTE) * MINUTE, Math.ceil(last / MINUTE) * MINUTE];
    if (selected) selected = [...findings, ...all].find((each) => each.key === selected.key) ?? null;
    filter();
  }

  // What the table is filtered to is what the map shows.
  function filter() {
    const wanted = [...findings, ...all].filter((each) => list.wants(each, at));
    const same = wanted.length === items.length && wanted.every((each, place) => each === items[place]);
    items = wanted;
    if (!same) {
      flights = items.filter((each) => each.waypoints);
      moving = new Moving(flights);
    }
    list.show(items, at);
    redraw();
    details();
  }

  function redraw() {
    place(clamp(at));
    picture?.set({ things: items.filter((each) => !each.conflict), findings: items.filter((each) => each.conflict), flights, moving, selected });
    picture?.mark(at);
  }

  // Shows another time: at once what moves, the rest once it rests. A slider that is held says itself
  // when it does.
  function show(ms, { held = false, follow = false } = {}) {
    following = follow;
    toNow.setAttribute("aria-pressed", String(following));
    place(ms);
    clearTimeout(settle);
    if (!held) settle = setTimeout(settled, SETTLE_MS);
  }

  function place(ms) {
    at = ms;
    slider.value = at;
    const text = utc(iso(at));
    slider.setAttribute("aria-valuetext", text);
    when.textContent = `${text} · ${local(iso(at))}`;
    moving.show(at);
    under.textContent = t("map.under_way", { count: moving.count });
    picture?.show(at);
    reading ??= setTimeout(() => {
      reading = null;
      list.time(at);
    }, READ_MS);
  }

  // The time rests: the map itself is drawn for it, which takes longer than what moves above it.
  function settled() {
    picture?.mark(at);
    details();
    if (list.onlyNow) filter();
  }

  // A key is a minute, with Shift ten seconds: the hand on the slider has seconds, keys should not.
  function key(event) {
    const onward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    const steps = { ArrowUp: 1, ArrowDown: -1, ArrowLeft: -1, ArrowRight: -1, [onward]: 1, PageUp: 10, PageDown: -10 };
    if (!(event.key in steps) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    show(clamp(at + steps[event.key] * (event.shiftKey ? MINUTE / 6 : MINUTE)));
  }

  function select(each, { toMap }) {
    selected = each;
    list.select(each);
    picture?.select(each, toMap);
    details();
  }

  // What is selected, in words: what a look at the map would tell. Said again only when it changed.
  function details() {
    const told = h("div", {}, selected ? words() : h("p", { class: "soft" }, t("map.none_selected")));
    if (told.textContent !== facts.textContent) facts.replaceChildren(told);
  }

  function words() {
    const { conflict, declaration } = selected;
    const link = (finding) => h("li", {}, h("a", { href: `#conflicts/${finding.key}` }, t("act.see_conflict")), ` · ${named("verdict", finding.conflict.verdict)} · ${utc(finding.conflict.cpa_utc)}`);
    if (conflict) return [h("p", { class: "said", dir: "auto" }, conflict.text), h("ul", {}, link(selected))];
    const fact = (name, ...value) => [h("dt", {}, t(`map.${name}`)), h("dd", {}, ...value)];
    return h("dl", { class: "facts" },
      fact("whose", h("span", { class: selected.own ? "own" : "peer" }, nameOf(selected))),
      fact("when", h("span", { class: "figure" }, `${utc(declaration.start_utc)} – ${utc(declaration.end_utc)}`)),
      fact("height", h("span", { class: "figure" }, heightOf(selected, at, { whole: true }))),
      selected.findings.length > 0 && fact("findings", h("ul", {}, selected.findings.slice(0, MOST_LINKS).map(link))));
  }

  function clamp(ms) {
    return Math.max(Number(slider.min), Math.min(Number(slider.max), Math.round(ms / 1000) * 1000));
  }
}
