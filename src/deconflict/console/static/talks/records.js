// What each side records of a call, side by side. Where the two differ both stay; none is chosen.

import { span, utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { ask } from "../shell/ask.js";
import { post } from "../shell/node.js";
import { named, t } from "../shell/words.js";
import { languageName, media, roles, spoken, tiers } from "./codes.js";

const FIELDS = ["start_utc", "end_utc", "tier", "medium", "languages", "participants"];
const MOST_MS = 24 * 3_600_000;

const said = {
  start_utc: (record) => h("span", { class: "figure" }, utc(record.start_utc)),
  end_utc: (record) => h("span", { class: "figure" }, utc(record.end_utc)),
  tier: (record) => named("tier", record.tier),
  medium: (record) => named("medium", record.medium),
  languages: (record) => record.languages.map(languageName).join(", "),
  participants: (record) => h("ul", {}, Object.entries(record.participants).map(([party, who]) => h("li", {}, h("strong", {}, `${party}: `), who.map((role) => named("call_role", role)).join(", ")))),
};

export function compare(call, own) {
  const of = Object.fromEntries(call.records.map((record) => [record.party, record]));
  const parties = [own, call.peer];
  const differing = new Map(call.differing.map((each) => [each.field, each]));
  return h("table", { class: "compared" },
    h("caption", { class: "visually-hidden" }, t("call.records")),
    h("thead", {}, h("tr", {}, h("td"), parties.map((party) => h("th", { scope: "col", class: party === own ? "own" : "peer" }, party)), h("th", { scope: "col" }, t("call.compared")))),
    h("tbody", {}, FIELDS.map((field) => h("tr", { class: differing.has(field) ? "differs" : null },
      h("th", { scope: "row" }, named("record_field", field)),
      parties.map((party) => h("td", {}, of[party] ? said[field](of[party]) : h("span", { class: "soft" }, t("call.not_recorded")))),
      h("td", { class: differing.has(field) ? "overdue" : "soft" }, call.records.length < 2 ? "" : differing.has(field) ? differs(differing.get(field)) : t("call.same"))))));
}

const differs = ({ apart_ms: apart }) => (apart === null ? t("call.differs") : t("call.apart", { span: span(apart) }));

// A record of a call that is over, as this side has it: people are roles, never names.
export function record(line, desk, { call = null, known = {} } = {}) {
  const { about, world } = desk;
  const peer = call?.peer ?? world.line(line).peer;
  ask({ title: t("call.record"), subject: t("call.record_about"),
    wanted: { starts: "time", ends: "time", tier: "text", medium: "text", languages: "several", ours: "several", theirs: "several" },
    choices: { tier: tiers(), medium: media(), languages: spoken(), ours: roles(), theirs: roles() },
    labels: { ours: t("call.who", { party: about.party }), theirs: t("call.who", { party: peer }) },
    hints: { starts: known.start_utc, ends: known.end_utc, tier: known.tier, medium: known.medium, languages: known.languages ?? ["en"], ours: known.participants?.[about.party] ?? [], theirs: known.participants?.[peer] ?? [] },
    sure(values) {
      const length = Date.parse(values.ends) - Date.parse(values.starts);
      if (!(length >= 0 && length <= MOST_MS)) throw new Error(t("call.no_time"));
      const who = (found) => found.map((role) => named("call_role", role)).join(", ");
      return [t("call.record_sure", { peer, from: utc(values.starts), to: utc(values.ends) }), `${about.party}: ${who(values.ours)}`, `${peer}: ${who(values.theirs)}`].join("\n");
    },
    verb: t("call.record"),
    send: ({ starts, ends, tier, medium, languages, ours, theirs }) => post(`/lines/${line}/talks`, { kind: "CALL_RECORD", ref: call?.call_id ?? null,
      body: { start_utc: starts, end_utc: ends, tier, medium, languages, participants: { [about.party]: ours, [peer]: theirs } } }).then(desk.said) });
}
