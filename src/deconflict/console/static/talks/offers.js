// Calls asked for and arranged: an offer is answered once, by the side that did not make it, and no
// answer is no acceptance. Each answer is read whole before it is sent.

import { iso, local, now, utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { ask } from "../shell/ask.js";
import { download, get, may, post } from "../shell/node.js";
import { named, t } from "../shell/words.js";
import { media, reasons, spoken, subjects, tiers } from "./codes.js";

const QUARTER_MS = 900_000;
const MINUTE_MS = 60_000;
const WANTED = { tier: "text", subject: "text", starts: "time", second_start: "time?", third_start: "time?", minutes: "count", languages: "several", media: "several", place: "position?" };

const shown = (slot) => `${utc(slot.start_utc)} – ${utc(slot.end_utc)} (${local(slot.start_utc)})`;
const sent = (talk, kind, body, desk) => post(`/lines/${talk.line_id}/talks`, { kind, body, ref: talk.call_id ?? talk.message }).then(desk.said);

// One call that is asked for, arranged or over, with what can be said of it now.
export function drawTalk(talk, desk) {
  const { about, frame } = desk;
  const ours = talk.waits_for === about.party;
  const button = (words, work, first = false) => h("button", { type: "button", class: first ? "first" : null, onclick: frame.act(work) }, words);
  const answers = !may("talk") ? [] : talk.state === "OFFERED" && ours ? [
    button(t("talk.accept"), () => accept(talk, desk), true),
    button(t("call.counter"), () => counter(talk, desk)),
    button(t("act.standby"), () => post(`/lines/${talk.line_id}/messages`, { kind: "STANDBY", body: { desk: desk.me.desk, at_utc: iso(now()) }, ref: talk.message }).then(desk.said)),
    button(t("talk.decline"), () => end(talk, "TALK_DECLINE", t("talk.decline"), desk)),
  ] : talk.ahead ? [button(t("talk.call_off"), () => end(talk, "TALK_CANCEL", t("talk.call_off"), desk))] : [];
  return h("li", { class: `alert ${ours && talk.state === "OFFERED" ? "PRIORITY" : "ROUTINE"}`, data: { key: talk.talk_id } },
    h("div", {}, h("p", { class: "urgency" }, named("talk_state", talk.state)), h("p", {}, talk.peer), h("p", { class: "soft" }, named("tier", talk.tier)),
      talk.start_utc && h("p", { class: "figure" }, utc(talk.start_utc)), talk.start_utc && h("p", { class: "soft" }, local(talk.start_utc))),
    h("div", { class: "words" },
      h("p", { class: "said", dir: "auto" }, `${talk.drill ? `${t("drill.mark")} ` : ""}${talk.text}`),
      talk.waits_for && h("p", { class: "permission" }, ours ? t("talk.waits_for_us") : t("talk.waits_for", { peer: talk.waits_for })),
      talk.ended_by && h("p", { class: "soft" }, `${talk.ended_by}: ${named("talk_reason", talk.reason)}`),
      ["QUEUED", "SENT"].includes(talk.acceptance) && h("p", { class: "permission" }, t("call.not_signed_for", { peer: talk.peer }))),
    h("div", { class: "row acts" }, answers,
      talk.call_id && h("a", { href: `#talks/${talk.call_id}` }, t("call.open")),
      button(t("talk.calendar"), () => download(`/lines/${talk.line_id}/talks/${talk.message}/calendar`, "call.ics"))));
}

function accept(talk, desk) {
  const slots = talk.slots.map((slot) => [JSON.stringify({ start_utc: slot.start_utc, end_utc: slot.end_utc }), shown(slot)]);
  ask({ title: t("talk.accept"), subject: talk.text, wanted: { slot: "text", medium: "text" }, choices: { slot: slots, medium: media(talk.media) },
    sure: ({ slot, medium }) => t("talk.accept_sure", { at: utc(JSON.parse(slot).start_utc), medium: named("medium", medium) }), verb: t("talk.accept"),
    send: ({ slot, medium }) => sent(talk, "TALK_ACCEPT", { slot: JSON.parse(slot), medium }, desk) });
}

const end = (talk, kind, title, desk) => ask({ title, subject: talk.text, wanted: { reason: "text" }, choices: { reason: reasons() },
  sure: ({ reason }) => `${title} ${named("talk_reason", reason)}`, verb: t("ask.send"), send: (body) => sent(talk, kind, body, desk) });

// Another offer in the place of the peer's: what is not changed is said again as it was offered.
async function counter(talk, desk) {
  const { body } = await get(`/messages/${talk.message}`);
  const [first, second, third] = body.slots;
  ask({ title: t("call.counter"), subject: talk.text, wanted: WANTED, choices: choicesOf(),
    hints: { tier: body.tier, subject: body.subject, languages: body.languages, media: body.media, starts: first.start_utc, second_start: second?.start_utc, third_start: third?.start_utc,
      minutes: String(Math.round((Date.parse(first.end_utc) - Date.parse(first.start_utc)) / MINUTE_MS)), place: body.place && `${body.place.lat_e7 / 1e7} ${body.place.lon_e7 / 1e7}` },
    sure: (values) => sureOf(values, talk.peer), verb: t("ask.send"), send: (values) => sent(talk, "TALK_PROPOSE", offerOf(values), desk) });
}

export function request(desk) {
  const { world } = desk;
  ask({ title: t("talk.request"), subject: t("talk.request_about"), wanted: { line: "text", ...WANTED },
    choices: { line: world.lines.map((line) => [line.line_id, line.peer]), ...choicesOf() },
    hints: { starts: iso(Math.ceil((now() + 4 * QUARTER_MS) / QUARTER_MS) * QUARTER_MS).slice(0, 16) + "Z", minutes: "30", languages: ["en"], media: ["PHONE"] },
    sure: (values) => sureOf(values, world.line(values.line).peer), verb: t("ask.send"),
    send: ({ line, ...values }) => post(`/lines/${line}/talks`, { kind: "TALK_REQUEST", body: offerOf(values) }).then(desk.said) });
}

const choicesOf = () => ({ tier: tiers(), subject: subjects(), languages: spoken(), media: media() });

function offerOf({ tier, subject, starts, second_start: second, third_start: third, minutes, languages, media: by, place }) {
  if (by.includes("IN_PERSON") !== (place !== null)) throw new Error(t("call.place_needed"));
  return { tier, subject, languages, media: by, ...(place && { place }),
    slots: [starts, second, third].filter(Boolean).map((start) => ({ start_utc: start, end_utc: iso(Date.parse(start) + minutes * MINUTE_MS) })) };
}

function sureOf(values, peer) {
  const { slots } = offerOf(values);
  return t("talk.request_sure", { peer, at: slots.map((slot) => utc(slot.start_utc)).join(", "), minutes: values.minutes });
}
