// The record: found by word and time, and taken away whole for whoever checks it.

import { iso, now, utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { download, get, post } from "../shell/node.js";
import { named, t } from "../shell/words.js";

const PAGE = 500;

export function open(main, desk) {
  const { world, frame } = desk;
  const line = h("select", { "aria-label": t("field.line") }, world.lines.map((each) => h("option", { value: each.line_id }, each.peer)));
  const text = h("input", { type: "search", placeholder: t("thread.find"), "aria-label": t("thread.find") });
  const until = h("input", { value: iso(now()).slice(0, 16) + "Z", "aria-label": t("record.until"), dir: "ltr" });
  const bar = h("progress", { hidden: true, "aria-label": t("record.reading") });
  const said = h("p", { role: "status" });
  const rows = h("tbody");
  main.replaceChildren(h("section", { "aria-labelledby": "h-record" }, h("h2", { id: "h-record" }, t("screen.record")),
    h("form", { class: "row", onsubmit: frame.act(find) },
      h("label", {}, t("field.line"), line), h("label", { class: "grow" }, t("thread.find"), text), h("label", {}, t("record.until"), until),
      h("button", { class: "first" }, t("record.find")),
      h("button", { type: "button", onclick: frame.act(take) }, t("record.export"))),
    bar, said,
    h("p", { class: "soft" }, t("record.verify")),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("screen.record") },
      h("table", {}, h("thead", {}, h("tr", {}, ["when", "whose", "what", "text", "state"].map((name) => h("th", { scope: "col" }, t(`record.${name}`))))), rows))));

  // Reads the whole chain of both sides, page by page; what was known by then is what was logged.
  async function find() {
    const limit = new Date(until.value).getTime();
    if (Number.isNaN(limit)) throw new Error(t("fields.time", { given: until.value }));
    const { own_seq: own, peer_seq: peer } = world.line(line.value);
    const wanted = text.value.trim().toLowerCase();
    const found = [];
    rows.replaceChildren();
    bar.hidden = false;
    bar.max = own + peer;
    bar.value = 0;
    for (const [direction, last] of [["out", own], ["in", peer]]) {
      for (let after = 0; after < last; after += PAGE) {
        const page = await get(`/lines/${line.value}/messages?direction=${direction}&after_seq=${after}&limit=${PAGE}`);
        found.push(...page.filter((message) => Date.parse(message.logged_utc) <= limit && (!wanted || `${message.text} ${message.kind} ${message.hash}`.toLowerCase().includes(wanted))));
        bar.value += page.length;
        if (!page.length) break;
      }
    }
    bar.hidden = true;
    said.textContent = t("record.found", { count: found.length });
    rows.replaceChildren(...found.sort((one, other) => (one.logged_utc < other.logged_utc ? 1 : -1)).slice(0, 1000).map((message) => h("tr", { class: message.outgoing ? "out" : "in" },
      h("td", { class: "figure" }, utc(message.logged_utc)), h("td", {}, message.from_party),
      h("td", {}, h("a", { href: `#thread/${message.line_id}/${message.hash}` }, `${message.drill ? `${t("drill.mark")} ` : ""}${named("kind", message.kind)}`)),
      h("td", { dir: "auto" }, message.text), h("td", {}, named("delivery", message.state)))));
  }

  async function take() {
    const asked = await post(`/lines/${line.value}/exports`, { what: "RECORD" });
    if (asked.state === "HELD") return void (said.textContent = t("record.held"));
    bar.hidden = false;
    bar.removeAttribute("value");
    const name = `${world.line(line.value).peer}-${iso(now()).slice(0, 10)}.deconflict`;
    try {
      await download(`/lines/${line.value}/bundle`, name, (bytes) => (said.textContent = t("record.bytes", { kb: Math.round(bytes / 1000) })));
    } finally {
      bar.hidden = true;
    }
  }
}
