// Calls: asked for, countered, accepted or declined, each time in UTC with the local one beside it;
// those that were held, what each side records of them, and the readouts.

import { iso, local, now, utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { ask } from "../shell/ask.js";
import { download, get, may, post } from "../shell/node.js";
import { named, quoted, t } from "../shell/words.js";

const TIERS = ["WATCH", "WORKING", "SENIOR_1", "SENIOR_2", "SENIOR_3"];
const SUBJECTS = ["LINE", "DECLARATIONS", "CONFLICT", "INCIDENT", "SAFETY", "TERMS", "PROTECTED_SITES", "MAPS", "OTHER"];
const MEDIA = ["PHONE", "VIDEO"];
const REASONS = ["NO_REASON", "TIME", "TIER", "LANGUAGES", "MEDIA", "SUBJECT", "SETTLED"];
const SPOKEN = ["en", "ru", "ar", "tr", "he", "uk", "zh", "fr", "fa"];

const choices = (table, codes) => codes.map((code) => [code, named(table, code)]);

export function open(main, desk) {
  const { world, frame, about } = desk;
  const talks = h("ul");
  const calls = h("ul", { class: "stack" });
  main.replaceChildren(h("div", { class: "two" },
    h("section", { "aria-labelledby": "h-talks" }, h("h2", { id: "h-talks" }, t("talk.ahead")),
      may("talk") && h("div", { class: "row" }, h("button", { type: "button", class: "first", onclick: () => request() }, t("talk.request"))),
      talks),
    h("section", { "aria-labelledby": "h-calls" }, h("h2", { id: "h-calls" }, t("talk.held")), calls)));
  const draw = async () => {
    try {
      const [ahead, log] = await Promise.all([get("/talks"), get("/calls")]);
      talks.replaceChildren(...(ahead.length ? ahead.map(drawTalk) : [h("li", { class: "soft" }, t("talk.none"))]));
      calls.replaceChildren(...(log.length ? log.map(drawCall) : [h("li", { class: "soft" }, t("talk.none_held"))]));
    } catch (error) {
      frame.problem(error);
    }
  };
  return world.on(["alerts", "lines"], draw);

  function drawTalk(talk) {
    const ours = talk.waits_for === about.party;
    const say = (kind, body) => post(`/lines/${talk.line_id}/talks`, { kind, body, ref: talk.message }).then(draw);
    const slots = talk.slots.map((slot) => [JSON.stringify({ start_utc: slot.start_utc, end_utc: slot.end_utc }), `${utc(slot.start_utc)} – ${utc(slot.end_utc)} (${local(slot.start_utc)})`]);
    const end = (kind, title) => ask({ title, wanted: { reason: "text" }, choices: { reason: choices("talk_reason", REASONS) }, verb: t("ask.send"), send: (body) => say(kind, body) });
    return h("li", { class: `alert ${ours && talk.state === "OFFERED" ? "PRIORITY" : "ROUTINE"}`, data: { key: talk.talk_id } },
      h("div", {}, h("p", { class: "urgency" }, named("talk_state", talk.state)), h("p", {}, talk.peer), h("p", { class: "soft" }, named("tier", talk.tier)),
        talk.start_utc && h("p", { class: "figure" }, utc(talk.start_utc)), talk.start_utc && h("p", { class: "soft" }, local(talk.start_utc))),
      h("div", { class: "words" }, h("p", { class: "said", dir: "auto" }, `${talk.drill ? `${t("drill.mark")} ` : ""}${talk.text}`),
        talk.waits_for && h("p", { class: "permission" }, ours ? t("talk.waits_for_us") : t("talk.waits_for", { peer: talk.waits_for }))),
      h("div", { class: "row acts" },
        may("talk") && ours && talk.state === "OFFERED" && h("button", { type: "button", class: "first", onclick: () => ask({ title: t("talk.accept"), subject: talk.text, wanted: { slot: "text", medium: "text" },
          choices: { slot: slots, medium: choices("medium", talk.media) }, sure: ({ slot, medium }) => t("talk.accept_sure", { at: utc(JSON.parse(slot).start_utc), medium: named("medium", medium) }), verb: t("talk.accept"),
          send: ({ slot, medium }) => say("TALK_ACCEPT", { slot: JSON.parse(slot), medium }) }) }, t("talk.accept")),
        may("talk") && ours && talk.state === "OFFERED" && h("button", { type: "button", onclick: () => end("TALK_DECLINE", t("talk.decline")) }, t("talk.decline")),
        may("talk") && (talk.state === "ARRANGED" || (talk.state === "OFFERED" && !ours)) && talk.ahead && h("button", { type: "button", onclick: () => end("TALK_CANCEL", t("talk.call_off")) }, t("talk.call_off")),
        h("button", { type: "button", onclick: frame.act(() => download(`/lines/${talk.line_id}/talks/${talk.message}/calendar`, "call.ics")) }, t("talk.calendar"))));
  }

  function request() {
    const start = new Date(Math.ceil((now() + 3_600_000) / 900_000) * 900_000).toISOString().slice(0, 16) + "Z";
    ask({ title: t("talk.request"), subject: t("talk.request_about"),
      wanted: { line: "text", tier: "text", subject: "text", starts: "time", minutes: "count", language: "text", medium: "text" },
      choices: { line: world.lines.map((line) => [line.line_id, line.peer]), tier: choices("tier", TIERS), subject: choices("subject", SUBJECTS), language: SPOKEN.map((code) => [code, code]), medium: choices("medium", MEDIA) },
      hints: { starts: start, minutes: "30" },
      sure: ({ line, starts, minutes }) => t("talk.request_sure", { peer: world.line(line).peer, at: utc(starts), minutes }), verb: t("ask.send"),
      send: ({ line, tier, subject, starts, minutes, language, medium }) => post(`/lines/${line}/talks`, { kind: "TALK_REQUEST",
        body: { tier, subject, slots: [{ start_utc: starts, end_utc: iso(Date.parse(starts) + minutes * 60_000) }], languages: [language], media: [medium] } }).then(draw) });
  }

  function drawCall(call) {
    return h("li", { class: "alert ROUTINE" },
      h("div", {}, h("p", { class: "urgency" }, `${call.drill ? `${t("drill.mark")} ` : ""}${call.peer}`), h("p", { class: "soft figure" }, call.call_id.slice(0, 8))),
      h("div", { class: "words stack" },
        call.records.map((record) => h("p", {}, h("strong", {}, `${record.party}: `), h("span", { class: "figure" }, `${utc(record.start_utc)} – ${utc(record.end_utc)}`), ` · ${named("tier", record.tier)} · ${named("medium", record.medium)} · ${record.languages.join(", ")}`)),
        call.differing.map((each) => h("p", { class: "overdue" }, `${t("talk.differs", { field: each.field })}: ${Object.entries(each.said).map(([party, said]) => `${party} ${quoted(said)}`).join(", ")}`)),
        call.readouts.map((readout) => h("div", { class: "stack" },
          h("h3", {}, named("readout_state", readout.state), readout.by ? ` · ${readout.by}` : ""),
          h("div", { class: "two" }, Object.entries(readout.texts).map(([code, lines]) => h("div", { lang: code, dir: "auto" }, lines.map((line) => h("p", {}, line)))))))));
  }
}
