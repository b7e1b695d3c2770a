// Tallies: what each side counts in a period, held against the record entry by entry.

import { iso, now, utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { ask } from "../shell/ask.js";
import { get, may, post } from "../shell/node.js";
import { named, t } from "../shell/words.js";

const DAY_MS = 86_400_000;

export function tallies(desk) {
  const { world, frame } = desk;
  const line = h("select", {}, world.lines.map((each) => h("option", { value: each.line_id }, each.peer)));
  const day = (ms) => `${iso(ms).slice(0, 10)}T00:00Z`;
  const from = h("input", { dir: "ltr", value: day(now() - 30 * DAY_MS) });
  const to = h("input", { dir: "ltr", value: day(now() + DAY_MS) });
  const [counted, said] = [h("div", { class: "stack", "aria-live": "polite" }), h("ul", { class: "stack" })];
  line.addEventListener("change", frame.act(draw));
  const box = h("section", { class: "stack", "aria-labelledby": "h-tallies" }, h("h2", { id: "h-tallies" }, t("tally.title")),
    h("p", { class: "soft" }, t("tally.about")),
    h("form", { class: "row", onsubmit: frame.act(count) }, h("label", {}, t("field.line"), line), h("label", {}, t("tally.from"), from), h("label", {}, t("tally.to"), to),
      h("button", { class: "first" }, t("tally.count")), may("send") && h("button", { type: "button", onclick: frame.act(tell) }, t("tally.say"))),
    counted, h("h3", {}, t("tally.said")), said);
  return { box, draw };

  function period() {
    const [start, end] = [from, to].map((input) => {
      const ms = Date.parse(input.value);
      if (Number.isNaN(ms)) throw new Error(t("fields.time", { given: input.value }));
      return iso(ms);
    });
    return { start_utc: start, end_utc: end };
  }

  async function draw() {
    const found = line.value ? await get(`/lines/${line.value}/tallies`) : [];
    said.replaceChildren(...(found.length ? found.map(view) : [h("li", { class: "soft" }, t("tally.none"))]));
  }

  async function count() {
    counted.replaceChildren(h("ul", {}, view(await get(`/lines/${line.value}/tally?${new URLSearchParams(period())}`))));
  }

  function tell() {
    const asked = period();
    ask({ title: t("tally.say"), verb: t("tally.say"), sure: () => t("tally.sure", { peer: world.line(line.value).peer, from: utc(asked.start_utc), to: utc(asked.end_utc) }),
      send: () => post(`/lines/${line.value}/tally`, asked).then(desk.said) });
  }
}

const word = (code) => (code.startsWith("BREACH_") ? named("breach", code.slice(7)) : named("incident_word", code));

function view(tally) {
  const differs = tally.differences.length > 0;
  return h("li", { class: `alert ${differs ? "PRIORITY" : "ROUTINE"}` },
    h("div", {}, h("p", { class: "urgency" }, tally.drill ? `${t("drill.mark")} ` : "", tally.by ?? t("tally.ours_now")), h("p", { class: "figure" }, tally.said_utc && utc(tally.said_utc))),
    h("div", { class: "words stack" },
      h("p", { class: "figure" }, `${utc(tally.start_utc)} – ${utc(tally.end_utc)}`),
      h("table", {}, h("tbody", {}, Object.entries(tally.numbers).map(([code, number]) => h("tr", {}, h("th", { scope: "row" }, word(code)), h("td", { class: "figure" }, String(number)))))),
      !Object.keys(tally.numbers).length && h("p", { class: "soft" }, t("tally.nothing")),
      differs ? h("ul", {}, tally.differences.map((each) => h("li", { class: "overdue" }, `${t(each.in_tally ? "tally.only_said" : "tally.only_record")}: ${each.words} ${each.message.slice(0, 10)} · ${named("tally_why", each.why)}`)))
        : tally.by && h("p", {}, t("tally.same"))));
}
