// Finding messages in the whole record: the node looks, a bounded part of it at a time, and the
// newest that fit come first. Nothing of the rest is ever here.

import { utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { post } from "../shell/node.js";
import { named, t, words } from "../shell/words.js";
import { instantOrNone } from "./instant.js";

const SHOWN = 50; // more on demand

export function searchPart({ world, frame, about }) {
  const any = (text) => h("option", { value: "" }, text);
  const choice = (name, key, none, values) => h("label", {}, t(key), h("select", { name }, any(t(none)), values.map(([value, said]) => h("option", { value }, said))));
  const input = (name, key, more) => h("label", more.class ? { class: more.class } : {}, t(key), h("input", { name, dir: "ltr", autocomplete: "off", ...more, class: null }));
  const kinds = Object.entries(words("kind")).sort(([, one], [, other]) => one.localeCompare(other));
  const form = h("form", { class: "row asked", onsubmit: frame.act(begin) },
    choice("line", "record.peer", "record.all_peers", world.lines.map((line) => [line.line_id, line.peer])),
    choice("party", "record.author", "record.anyone", [about.party, ...world.lines.map((line) => line.peer)].map((party) => [party, party])),
    choice("kind", "record.what", "record.all_kinds", kinds),
    input("desk", "field.desk", {}),
    input("from", "record.from", { placeholder: "2015-09-30T06:00Z" }), input("until", "record.until", { placeholder: "2015-09-30T07:00Z" }),
    input("text", "thread.find", { type: "search", class: "grow", dir: "auto" }),
    h("button", { class: "first" }, t("record.find")));
  const bar = h("progress", { hidden: true, "aria-label": t("record.reading") });
  const stop = h("button", { type: "button", hidden: true, onclick: () => (halted = true) }, t("record.stop"));
  const more = h("button", { type: "button", hidden: true, onclick: frame.act(() => go(SHOWN)) }, t("record.more"));
  const said = h("p", { role: "status" });
  const rows = h("tbody");
  const table = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("record.search") },
    h("table", {}, h("thead", {}, h("tr", {}, ["when", "whose", "what", "text", "state"].map((name) => h("th", { scope: "col" }, t(`record.${name}`))))), rows));
  let turn = 0; // a later search takes the place of an earlier one
  let halted = false;
  let wanted = {};
  let after = null;
  let total = 0;
  const node = h("section", { "aria-labelledby": "h-search" }, h("h2", { id: "h-search" }, t("record.search")), form,
    h("div", { class: "row" }, bar, said, stop, more), table);
  return { node, leave: () => (turn += 1) };

  async function begin() {
    const typed = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
    wanted = Object.fromEntries(["line", "party", "kind", "desk"].map((name) => [name, typed[name] || null]));
    Object.assign(wanted, { text: typed.text, from_utc: instantOrNone(typed.from), until_utc: instantOrNone(typed.until) });
    rows.replaceChildren();
    after = null;
    await go(SHOWN);
  }

  // Goes on until so many more were found, the record ends, or somebody stops it.
  async function go(count) {
    const mine = ++turn;
    halted = false;
    const least = rows.children.length + count;
    [bar.hidden, stop.hidden, more.hidden] = [false, false, true];
    try {
      do {
        const page = await post("/record/search", { ...wanted, after, limit: Math.min(SHOWN, least - rows.children.length) });
        if (mine !== turn) return;
        ({ after, total } = page);
        rows.append(...page.messages.map(row));
        [bar.max, bar.value] = [total || 1, total - page.left];
        said.textContent = `${t("record.found", { count: rows.children.length })} · ${t("record.looked", { looked: total - page.left, total })}`;
      } while (after && rows.children.length < least && !halted);
    } finally {
      if (mine === turn) [bar.hidden, stop.hidden, more.hidden] = [true, true, !after];
    }
  }
}

const row = (message) => h("tr", { class: message.outgoing ? "out" : "in" },
  h("td", { class: "figure" }, `${message.logged_utc.slice(0, 5)}${utc(message.logged_utc)}`), h("td", {}, `${message.from_party}/${message.from_desk}`),
  h("td", {}, h("a", { href: `#thread/${message.line_id}/${message.hash}` }, `${message.drill ? `${t("drill.mark")} ` : ""}${named("kind", message.kind)}`)),
  h("td", { dir: "auto" }, message.text), h("td", {}, named("delivery", message.state)));
