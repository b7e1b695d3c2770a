// What is right to do about an alert, and how it is said. The node refuses what is not.

import { iso, now } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { ask } from "../shell/ask.js";
import { get, may, post } from "../shell/node.js";
import { named, t } from "../shell/words.js";
import { tried } from "../thread/readback.js";

const ACKS = ["ROGER", "WILCO", "UNABLE", "AFFIRM", "NEGATIVE"];
const SAID = ["OURS", "NOT_OURS", "CHECKING", "WILL_NOT_SAY"];
const REPORTS = ["CEASED", "CONTINUING", "CANNOT_REACH"];
const DECLARES = new Set(["NOTIFY", "UPDATE", "CORRECTION"]);
const NO_REASON = 301;
// Why an activity is asked to cease: reasons that name none of one's own plans.
const CEASE_REASON = ({ number, values }) => (number === NO_REASON || (number > 310 && number < 350)) && !Object.keys(values).length;
const SAFETY = (phrase) => phrase.number >= 200 && phrase.number < 250;
// What a readback is typed from: the reader's own map and clock, never copied from the message.
const READBACK = { purpose: "text", position: "position", reach: "distance", altitudes: "band", start: "time", end: "time", parts: "count" };
// Where the terms name landmarks a readback says how far it is from one of them; without it differs.
const FROM_LANDMARK = { landmark: "text", distance: "distance", bearing: "bearing" };
const NOT_CHOSEN = ["", "–"];
export const PURPOSES = ["FLIGHT", "ACTIVITY", "HAZARD", "OWN_PRESENCE", "PROTECTED_SITE"];

export const say = (line, kind, body, more = {}) => post(`/lines/${line}/messages`, { kind, body, ...more });

const button = (text, work, first = false) => h("button", { type: "button", class: first ? "first" : null, onclick: work }, text);

// The buttons of an alert: the right step first.
export function actionsFor(alert, desk) {
  const { conflict_id: conflict, proposal, run } = alert.facts;
  if (proposal && alert.rule.startsWith("PRIVATE_")) {
    const see = h("a", { href: `#private/${proposal}${run === undefined ? "" : `/${run}`}` }, t("act.see_private"));
    return alert.rule === "PRIVATE_HIT" && may("send") ? [see, button(t("act.concern"), desk.frame.act(() => concernOf(proposal, run, desk)))] : [see];
  }
  if (conflict) return [h("a", { href: `#conflicts/${conflict}` }, t("act.see_conflict"))];
  const ref = alert.facts.message ?? alert.subject;
  const found = [];
  if (alert.rule.endsWith("_RECEIVED") && alert.line_id && ref) found.push(...answersTo(alert.facts.kind, alert.line_id, ref, alert.text, desk));
  const held = ref && /^[0-9a-f]{64}$/.test(ref);
  if (held && alert.line_id) found.push(h("a", { href: `#thread/${alert.line_id}/${ref}` }, t("act.open")));
  else if (alert.line_id) found.push(h("a", { href: `#thread/${alert.line_id}` }, t("act.open_line")));
  return found;
}

// A hit is read as it stands now before anything is said of it.
async function concernOf(proposal, run, desk) {
  const [{ concern }, finding] = await Promise.all([import("../private/say.js"), get(`/private/${proposal}/${run}`)]);
  concern(finding, desk);
}

// What a desk can answer to a message of the peer.
export function answersTo(kind, line, ref, text, desk) {
  const { frame, me } = desk;
  if (kind === "PRIVATE_PROPOSE") return [h("a", { href: `#private/${ref}` }, t("act.see_private"))];
  if (!may("send")) return [];
  const act = (work) => frame.act(work);
  const seen = button(t("act.seen"), act(() => post(`/messages/${ref}/seen`)));
  if (DECLARES.has(kind)) return [button(t("act.read_back"), act(() => readBack(line, ref, text)), true), seen];
  switch (kind) {
    case "QUERY":
      return [button(t("act.answer"), act(() => answer(line, ref, text, me)), true)];
    case "SAFETY":
      return [button(t("act.acknowledge"), act(() => say(line, "ACK", { answer: "ROGER" }, { ref })), true),
        button(t("act.standby"), act(() => standby(line, ref, me)))];
    case "CEASE":
      return [button(t("act.acknowledge"), act(() => acknowledge(line, ref, text)), true), button(t("act.report"), act(() => report(line, ref, text, me)))];
    case "LINE_CHECK":
      return [button(t("act.retype"), act(() => retype(line, ref, text)), true)];
    case "CONCERN":
    case "PROPOSE":
    case "CANCEL":
      return [button(t("act.acknowledge"), act(() => acknowledge(line, ref, text)), true), seen];
    case "TERMS_PROPOSE":
      return [h("a", { href: `#terms/${line}` }, t("act.read_terms")), seen];
    case "SEEN":
    case "LOADED":
    case "STANDBY":
    case "LINE_CHECK_REPLY":
      return [];
    default:
      return [seen];
  }
}

const standby = (line, ref, me) => say(line, "STANDBY", { desk: me.desk, at_utc: iso(now()) }, { ref });

function answer(line, ref, text, me) {
  ask({ title: t("ask.answer"), subject: text, wanted: { said: "text" }, choices: { said: SAID.map((each) => [each, named("said", each)]) },
    sure: ({ said }) => t("ask.answer_sure", { said: named("said", said) }), verb: t("ask.send"),
    send: ({ said }) => said === "CHECKING" ? standby(line, ref, me) : say(line, "ANSWER", { said, desk: me.desk, at_utc: iso(now()) }, { ref }) });
}

function acknowledge(line, ref, text) {
  ask({ title: t("ask.acknowledge"), subject: text, wanted: { answer: "text" }, choices: { answer: ACKS.map((each) => [each, named("ack", each)]) },
    verb: t("ask.send"), send: (values) => say(line, "ACK", values, { ref }) });
}

function report(line, ref, text, me) {
  ask({ title: t("ask.report"), subject: text, wanted: { report: "text" }, choices: { report: REPORTS.map((each) => [each, named("kind", each)]) },
    sure: ({ report: kind }) => t("ask.report_sure", { report: named("kind", kind) }), verb: t("ask.send"),
    send: ({ report: kind }) => say(line, kind, { desk: me.desk, at_utc: iso(now()) }, { ref }) });
}

function retype(line, ref, text) {
  ask({ title: t("ask.retype"), subject: text, wanted: { text: "text" }, verb: t("ask.send"), send: (body) => say(line, "LINE_CHECK_REPLY", body, { ref }) });
}

// Twelve digits that mean nothing, by chance: neither side can have guessed them.
export function checkLine(line) {
  const groups = [...crypto.getRandomValues(new Uint32Array(3))].map((value) => String(value % 10_000).padStart(4, "0"));
  return say(line.line_id, "LINE_CHECK", { text: groups.join(" ") });
}

async function readBack(line, ref, text) {
  const [{ body }, { agreed }] = await Promise.all([get(`/messages/${ref}`), get(`/lines/${line}/terms`)]);
  const { declaration_id } = body.declaration;
  const landmarks = (agreed?.theatre.landmarks ?? []).map(({ name }) => [name, name]);
  const values = (said) => ({
    declaration_id, purpose: said.purpose, position: said.position,
    landmark: said.landmark ?? null, distance_mm: said.distance ?? null, bearing_ddeg: said.bearing ?? null,
    reach_mm: said.reach, ...said.altitudes, start_utc: said.start, end_utc: said.end, parts: said.parts,
  });
  ask({ title: t("ask.read_back"), subject: landmarks.length ? `${text}\n\n${t("ask.read_back_how")}` : text, wanted: { ...READBACK, ...(landmarks.length && FROM_LANDMARK) },
    choices: { purpose: [NOT_CHOSEN, ...PURPOSES.map((each) => [each, named("purpose", each)])], landmark: [NOT_CHOSEN, ...landmarks] }, verb: t("ask.send"),
    sure: (said) => tried(ref, values(said)),
    send: (said) => say(line, "READBACK", { values: values(said) }, { ref }) });
}

const lineChoice = (world) => ({ line: world.lines.map((line) => [line.line_id, line.peer]) });

export async function sendSafety({ world }) {
  const phrases = (await get("/phrases")).filter(SAFETY);
  ask({ title: t("act.safety"), wanted: { line: "text", phrase: "text" },
    choices: { ...lineChoice(world), phrase: phrases.map(({ number, text }) => [number, `${number} ${text}`]) }, verb: t("ask.next"),
    send({ line, phrase: number }) {
      const { text, values } = phrases.find((each) => each.number === Number(number));
      ask({ title: t("act.safety"), subject: text, wanted: values, verb: t("ask.send"), send: (said) => say(line, "SAFETY", { phrase: Number(number), values: said }) });
    } });
}

export function askWhose({ world }) {
  ask({ title: t("act.query"), subject: t("ask.query_about"), wanted: { line: "text", position: "position", level: "altitude", course: "bearing", speed: "speed", at: "time" },
    known: {}, choices: lineChoice(world), verb: t("ask.send"),
    send: ({ line, position, level, course, speed, at }) => say(line, "QUERY", { position, level, course_ddeg: course, speed_mmps: speed, at_utc: at }) });
}

// Two deliberate steps: what is asked to stop is typed first, then read whole, then sent.
export async function prepareCease({ world }) {
  const theirs = world.declarations.filter((each) => !each.own);
  const reasons = (await get("/phrases")).filter(CEASE_REASON).map(({ number, text }) => [String(number), text]);
  const reasonOf = (values) => reasons.find(([number]) => number === values.reason)[1];
  ask({ title: t("act.cease"), subject: t("ask.cease_about"), danger: true,
    wanted: { line: "text", declaration: "text?", position: "position?", reach: "distance?", reason: "text" },
    choices: { ...lineChoice(world), reason: reasons, declaration: [["", t("ask.no_declaration")], ...theirs.map((each) => [each.declaration_id, `${each.party}: ${named("purpose", each.purpose)} ${each.label ?? ""} ${each.declaration_id.slice(0, 8)}`])] },
    sure(values) {
      if (!values.declaration && (!values.position || !values.reach)) throw new Error(t("ask.cease_needs"));
      const line = world.line(values.line);
      const what = values.declaration ? t("ask.cease_declaration", { declaration: values.declaration.slice(0, 8) })
        : t("ask.cease_place", { lat: values.position.lat_e7 / 1e7, lon: values.position.lon_e7 / 1e7, km: values.reach / 1e6 });
      return t("ask.cease_sure", { peer: line.peer, what, reason: reasonOf(values) });
    },
    verb: t("ask.cease_send"),
    send: ({ line, declaration, position, reach, reason }) => say(line, "CEASE", { effective_utc: iso(now()), reason: Number(reason),
      ...(declaration ? { declaration_id: declaration } : { position, reach_mm: reach }) }) });
}
