// What each side knew at an instant: by signed words, each by its signer's own clock. The words are
// those of `deconflict replay`.

import { figures, iso, now } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { post } from "../shell/node.js";
import { named, quoted, t } from "../shell/words.js";
import { Following } from "./inquiry.js";
import { exact, instant, lasting } from "./instant.js";
import { notProven } from "./proven.js";

const short = (hash) => hash.slice(0, 10);
const some = (...parts) => parts.filter(Boolean).join(", ");

export function knownPart({ world, frame }) {
  const line = h("select", {}, world.lines.map((each) => h("option", { value: each.line_id }, each.peer)));
  const at = h("input", { value: `${iso(now()).slice(0, 19)}Z`, dir: "ltr", autocomplete: "off" });
  const following = new Following();
  const found = h("div", { class: "stack", "aria-live": "polite" });
  const node = h("section", { "aria-labelledby": "h-known" }, h("h2", { id: "h-known" }, t("record.known")),
    world.lines.length > 0 && h("form", { class: "row asked", onsubmit: frame.act(ask) },
      h("label", {}, t("field.line"), line), h("label", {}, t("record.minute", { clock: "06:12Z", whole: "2015-09-30T06:12Z" }), at), h("button", { class: "first" }, t("record.ask"))),
    following.node, found);
  return { node, leave: () => following.leave() };

  async function ask() {
    const wanted = { line: line.value, at_utc: iso(instant(at.value)) };
    found.replaceChildren();
    const view = await following.follow(() => post("/inquiries/known-at", wanted));
    if (!view) found.replaceChildren(h("p", {}, t("record.called_off")));
    else found.replaceChildren(...(view.state === "DONE" ? drawKnown(view.result) : notProven(view)));
  }
}

function drawKnown({ instant: known, texts, clocks, missing, unfound }) {
  const day = known.at_utc.slice(0, 10);
  const parties = known.sides.map((side) => side.party);
  const by = known.exporters.join(", ");
  const doubt = (text) => h("p", { class: "permission" }, text);
  return [
    h("h3", {}, t("known.title", { at: exact(known.at_utc, "") })),
    ...known.ended.map(([party, end]) => doubt(t("known.ends", { by: party, end: exact(end, day) }))),
    h("p", { class: "soft" }, t("known.source", { by }), " ", ...parties.filter((party) => !known.exporters.includes(party)).map((party) => t("known.one_sided", { party, by })), " ", t("known.unsigned")),
    h("div", { class: "halves" }, known.sides.map((side) => drawSide(side, parties.find((party) => party !== side.party), day, texts, known.at_utc))),
    ...clocks.map((each) => doubt(t(each.party === each.by ? "known.clock_back" : "known.clocks_apart", { party: each.party, by: each.by, messages: each.messages, apart: lasting(each.apart_ms), hash: short(each.hash), seq: each.seq }))),
    ...missing.map((each) => doubt(t("known.missing", { of: each.record_of, messages: each.messages, party: each.party, seq: each.first_seq, held: each.held }))),
    ...unfound.slice(0, 1).map((each) => doubt(t("known.unfound", { party: each.party, seq: each.citing.seq, by }))),
  ];
}

function drawSide(side, peer, day, texts, atUtc) {
  const { party } = side;
  const fact = (name, value, values = {}) => value && [h("dt", {}, t(`known.${name}`, values)), h("dd", {}, value)];
  const last = side.held_last;
  const list = (heading, items) => [h("h4", {}, heading), items.length ? h("ul", { class: "plain" }, items.map((item) => h("li", {}, item))) : h("p", { class: "soft" }, t("known.none"))];
  const question = (each) => [h("span", { class: each.state === "OVERDUE" ? "overdue" : "" }, `${t("known.asked", { party: each.asked_by, seq: each.seq, kind: named("kind", each.kind), precedence: named("urgency", each.precedence), said: exact(each.said_utc, day) })}: ${some(
    t(`known.${each.state.toLowerCase()}`, { due: exact(each.due_utc, day), kind: named("kind", each.answered_by ?? "") }), each.stood_by && t("known.stood_by"), each.drill && t("known.drill"))}`),
    texts[each.message] && h("p", { class: "soft", dir: "auto" }, texts[each.message])];
  const ceases = side.questions.filter((each) => each.kind === "CEASE");
  const others = side.questions.filter((each) => each.kind !== "CEASE");
  return h("section", { "aria-label": party }, h("h3", {}, party),
    h("dl", { class: "facts" },
      fact("said", t(side.perhaps_said ? "known.said_and" : "known.said_is", { count: side.said, more: side.perhaps_said })),
      fact("held", t(side.delayed ? "known.held_and" : "known.held_is", { count: side.held, peer, late: side.delayed })),
      last && fact("held_last", t("known.held_last_is", { seq: last.seq, kind: named("kind", last.kind), id: short(last.hash), held: heldBy(last, day, atUtc) })),
      fact("not_proven", t(side.not_proven ? "known.not_proven_is" : "known.all_proven", { count: side.not_proven, peer, party })),
      fact("knew", t("known.knew_is", { count: side.knew_held, peer })),
      fact("terms", side.terms ? t("known.terms_are", { version: side.terms.version, theatre: side.terms.theatre, hash: short(side.terms.terms_hash) }) : t("known.none")),
      side.keys.flatMap((key) => fact("key", t("known.key_is", { key: short(key.key_id), number: key.key_number, epoch: key.epoch ? short(key.epoch) : t("known.no_epoch") }), { party: key.party }))),
    h("p", { class: "permission" }, t(side.own_record ? "known.as_known" : "known.as_known_here", { party })),
    list(t("known.ceases"), [...ceases.map(question), ...side.taken_back.map((each) => t("known.taken_back", { party: each.asked_by, id: short(each.message), by: each.reported_by, kind: named("kind", "CEASED"), then: named("kind", each.then) }))]),
    list(t("known.questions"), others.map(question)),
    list(t("known.declarations"), side.declarations.map((each) => declared(each, day))),
    list(t("known.suspensions"), side.suspensions.map((each) => some(t("known.suspended", { by: each.by, scope: each.scope, from: exact(each.effective_utc, day) }),
      each.in_effect && t("known.in_effect"), each.resumed_utc && t("known.resumed", { from: exact(each.resumed_utc, day) }), each.drill && t("known.drill")))),
    list(t("known.exercises"), side.exercises.map((each) => t("known.exercise", { party: each.party, until: exact(each.until_utc, day) }))),
    side.unproven.length > 0 && messages(t("known.unproven", { peer, party, shown: side.unproven.length, count: side.not_proven }), side.unproven, texts, day, atUtc),
    side.messages.length > 0 && messages(t("known.messages", { party, shown: side.messages.length }), side.messages, texts, day, atUtc));
}

const declared = (each, day) => some(
  t("known.declared", { party: each.party, purpose: named("purpose", each.purpose), id: short(each.declaration_id), revision: each.revision, start: exact(each.start_utc, day), end: exact(each.end_utc, day) }),
  each.label && quoted(each.label), t(each.begun ? "known.begun" : "known.to_come"),
  t(each.read_back === null ? "known.not_read_back" : each.read_back ? "known.read_back" : "known.read_back_differs"), each.loaded && t("known.loaded"), each.drill && t("known.drill"));

function messages(heading, told, texts, day, atUtc) {
  const columns = ["said", "by", "number", "kind", "held", "text"];
  return h("details", {}, h("summary", {}, heading), h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": heading }, h("table", {},
    h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, t(`known.column_${name}`))))),
    h("tbody", {}, told.map((each) => h("tr", {},
      h("td", { class: "figure" }, figures(`${exact(each.said_utc, day)} ± ${lasting(each.clock_error_ms)}`)), h("td", {}, each.party), h("td", { class: "figure" }, String(each.seq)),
      h("td", {}, some(named("kind", each.kind), each.drill && t("known.drill"), each.delayed && t("known.delayed"), each.left_behind && t("known.left_behind"))),
      h("td", {}, heldBy(each, day, atUtc)), h("td", { dir: "auto" }, texts[each.hash] ?? "")))))));
}

// By when and by what it is proven that the other side held a message.
function heldBy(each, day, atUtc) {
  const { held, holder_says_utc: says } = each;
  // Instants of one form: the text that is greater is the later one.
  const said = !held ? t("known.not_provably") : t(held.by_utc > atUtc ? "known.proven_later" : "known.proven_by", { by: exact(held.by_utc, day), at: exact(held.at_utc, day), error: lasting(held.clock_error_ms),
    proof: t(`known.${held.proof.toLowerCase()}`, { seq: held.seq, kind: named("kind", held.message_kind ?? "") }) });
  return says && (!held || held.at_utc > says) ? `${said}; ${t("known.own_record", { at: exact(says, day) })}` : said;
}
