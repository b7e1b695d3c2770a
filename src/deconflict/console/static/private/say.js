// What a desk says about a private check: proposed, accepted, declined, run, ended, looked at more
// finely, opened. Each is read whole in a second step before it is done.

import { figures, iso, utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { ask } from "../shell/ask.js";
import { get, post } from "../shell/node.js";
import { named, quoted, t } from "../shell/words.js";
import { raiseConcern } from "../card/concern.js";
import { say } from "../watch/actions.js";
import { learned } from "./plan.js";
import { fromTo, period, periodsAhead, protects, slotTimes } from "./terms.js";

const TOLD = 20; // hits of which something can be told at the console

// Why one does not take part: reasons that name no plan.
const REASON = ({ number, values }) => (number === 301 || (number >= 331 && number < 350)) && !Object.keys(values).length;

// Who else could be asked, and what: a third party says yes or no, or a count, and no cell.
function throughWhom(line, world) {
  const thirds = world.lines.map(({ peer }) => peer).filter((peer) => peer !== line.peer);
  const asked = thirds.flatMap((mediator) => [["YES_NO", "through_yes_no"], ["COUNT", "through_count"]].map(([answer, name]) => [`${mediator} ${answer}`, t(`private.${name}`, { mediator })]));
  return asked.length ? [["-", t("private.through_nobody")], ...asked] : [];
}

export function propose({ line, document }, desk) {
  const starts = periodsAhead(document);
  const through = throughWhom(line, desk.world);
  const wanted = { start: "text", runs: "count", ...(through.length ? { through: "text" } : {}) };
  const choices = { start: starts.map((start) => [String(start), period(start, document)]), ...(through.length ? { through } : {}) };
  const mediation = (said) => (said && said !== "-" ? said.split(" ") : null);
  ask({ title: t("private.propose_to", { peer: line.peer }), wanted, labels: { start: t("private.first_period"), runs: t("private.runs"), through: t("private.through") },
    choices, hints: { start: String(starts[1]), runs: "1", through: "-" },
    sure({ start, runs, through: said }) {
      const values = { peer: line.peer, first: period(Number(start), document), due: utc(iso(Number(start) - document.ahead_ms)) };
      const asked = mediation(said);
      if (!asked) return h("div", { class: "stack" }, h("p", { class: "said" }, t("private.propose_sure", { ...values, count: runs })), learned());
      return h("div", { class: "stack" }, h("p", { class: "said" }, t("private.through_sure", { ...values, mediator: asked[0] })), h("p", { class: "permission" }, t("private.mediator_learns", { mediator: asked[0] })));
    },
    verb: t("private.propose"),
    send({ start, runs, through: said }) {
      const [body, asked] = [{ line: line.line_id, start_utc: iso(Number(start)) }, mediation(said)];
      return (asked ? post("/private/mediated/propose", { ...body, mediator: asked[0], answer: asked[1] }) : post("/private/propose", { ...body, runs })).then(desk.said);
    } });
}

export function accept(check, desk) {
  ask({ title: t("private.accept"), subject: t("private.accept_about", { peer: check.peer }), verb: t("private.accept"),
    sure: () => h("div", { class: "stack" }, h("p", { class: check.plan_set || protects(check) ? "said" : "permission" }, t(check.plan_set || protects(check) ? "private.accept_sure" : "private.accept_no_plan")), check.warning ? h("p", { class: "permission", dir: "auto" }, check.warning) : learned()),
    send: () => post(`/private/${check.proposal}/accept`).then(desk.said) });
}

export async function decline(check, desk) {
  const reasons = (await get("/phrases")).filter(REASON).map(({ number, text }) => [String(number), text]);
  ask({ title: t("private.decline"), subject: t("private.decline_about", { peer: check.peer }), wanted: { reason: "text" }, choices: { reason: reasons }, hints: { reason: "331" },
    sure: ({ reason }) => t("private.decline_sure", { peer: check.peer, reason: reasons.find(([number]) => number === reason)[1] }), verb: t("private.decline"),
    send: ({ reason }) => post(`/private/${check.proposal}/decline`, { reason_number: Number(reason) }).then(desk.said) });
}

export function runNow(check, run, desk) {
  ask({ title: t("private.run_now"), subject: check.plan_set ? t("private.run_now_sure", { peer: check.peer }) : t("private.accept_no_plan"), verb: t("private.run_now"),
    send: () => post(`/private/${check.proposal}/run`, { run: run.run }).then(desk.again) });
}

// One run, or all that is to come.
export function cancel(check, run, desk) {
  const title = t(run ? "private.cancel_run" : "private.cancel_all");
  ask({ title, subject: t("private.cancel_about"), sure: () => t(run ? "private.cancel_run_sure" : "private.cancel_all_sure", { peer: check.peer }), verb: title, danger: true,
    send: () => post(`/private/${check.proposal}/cancel`, { run: run ? run.run : null }).then(desk.again) });
}

// A closer look at the slots of a hit: asking for it shows the peer which these are.
export function lookCloser({ check, run, runs_left: left }, option, document, desk) {
  const times = slotTimes(option.slots, run.start_utc, document);
  ask({ title: t("private.closer", { parts: option.parts }), subject: t("private.closer_about", { parts: option.parts }),
    sure: () => h("div", { class: "stack" }, h("p", { class: "permission" }, t("private.closer_sure", { peer: check.peer, count: times.length })),
      h("ul", { class: "scroll figure" }, times.map((each) => h("li", {}, each))), h("p", {}, t("private.left", { count: left }))),
    verb: t("private.propose"),
    send: () => post("/private/propose", { line: check.line_id, runs: 1, start_utc: run.start_utc, refines: option }).then(desk.said) });
}

// A hit is talked about as a conflict is. The peer is told that there is one; what else of one's own
// plan it is told, its author chooses, and it is made coarse: the middle of a small circle is a place.
const WHEN_MS = 1_800_000;
const REACH_MM = 50_000_000;
const LATTICE_E7 = 2_500_000; // a quarter of a degree: no farther from its points than 20 km

export function concern({ check, run, hits }, desk) {
  const told = [["", {}, t("private.concern_nothing")], ...hits.filter(({ fate }) => fate !== "FALLEN").slice(0, TOLD).flatMap(coarse)];
  ask({ title: t("act.concern"), subject: t("private.concern_hit_about"), wanted: { told: "text" }, labels: { told: t("private.concern_tell", { peer: check.peer }) },
    choices: { told: told.map(([key, , words]) => [key || "nothing", words]) }, hints: { told: "nothing" },
    sure: ({ told: key }) => h("div", { class: "stack" }, h("p", { class: "said" }, t("private.concern_shows", { peer: check.peer })), h("p", { class: "said" }, words(key))), verb: t("ask.send"),
    send: ({ told: key }) => say(check.line_id, "CONCERN", { hit: { check: check.proposal, run: run.run, ...chosen(key)[1] } }, { ref: check.proposal }).then((posted) => desk.said?.(posted)) });

  function chosen(key) {
    return told.find(([each]) => (each || "nothing") === key);
  }

  function words(key) {
    return t("private.concern_told", { told: chosen(key)[2] });
  }
}

function coarse(hit, index) {
  const [from, to] = [Math.floor(Date.parse(hit.start_utc) / WHEN_MS), Math.ceil(Date.parse(hit.end_utc) / WHEN_MS)].map((each) => iso(each * WHEN_MS));
  const when = { start_utc: from, end_utc: to };
  const [lat, lon] = [hit.lat_e7, hit.lon_e7].map((each) => Math.round(each / LATTICE_E7) * LATTICE_E7);
  const where = { position: { lat_e7: lat, lon_e7: lon }, reach_mm: REACH_MM };
  const says = { sortie: quoted(hit.sortie), when: fromTo(from, to), place: figures(`${lat / 1e7}, ${lon / 1e7}`), km: figures(String(REACH_MM / 1e6)) };
  return [[`when ${index}`, when, t("private.concern_when", says)], ...(hit.side_mm <= REACH_MM / 2 ? [[`where ${index}`, { ...when, ...where }, t("private.concern_where", says)]] : [])];
}

// About what each side has declared openly, citing the check.
export function concernDeclared(check, desk) {
  const { world } = desk;
  const declared = (own) => world.declarations.filter((each) => each.own === own && each.state === "ACTIVE" && each.drill === check.drill && each.line_ids.includes(check.line_id))
    .map((each) => [each.declaration_id, `${each.party}: ${named("purpose", each.purpose)} ${each.label ? quoted(each.label) : each.declaration_id.slice(0, 8)}`]);
  const [ours, theirs] = [declared(true), declared(false)];
  if (!ours.length || !theirs.length) {
    return ask({ title: t("private.concern_declared"), subject: t("private.concern_needs", { peer: check.peer }), verb: t("private.to_talks"), send: () => (location.hash = "talks") });
  }
  const of = (id) => world.declarations.find((each) => each.declaration_id === id);
  ask({ title: t("private.concern_declared"), subject: t("private.concern_about", { peer: check.peer }), wanted: { ours: "text", theirs: "text" }, labels: { ours: t("private.concern_ours"), theirs: t("private.concern_theirs", { peer: check.peer }) },
    choices: { ours, theirs }, sure: () => `${t("ask.concern_sure", { peer: check.peer })} ${t("private.concern_shows", { peer: check.peer })}`, verb: t("ask.send"),
    send: (values) => raiseConcern(check.line_id, of(values.ours), of(values.theirs), check.proposal).then(desk.said) });
}

// Plan and seed of a run as two files, as `deconflict private audit` takes them.
export function openToArbiter(check, run, arbiter, desk) {
  ask({ title: t("private.open_run"), subject: arbiter ? t("private.open_for", { arbiter }) : t("private.open_for_nobody"), sure: () => t("private.open_sure"), final: t("private.open_final"), verb: t("private.open_run"), danger: true,
    async send() {
      const { plan, ...seed } = await post(`/private/${check.proposal}/open`, { run: run.run });
      const name = `${seed.party}-${check.proposal.slice(0, 16)}-${run.run}`;
      give(`${name}.plan.json`, plan);
      give(`${name}.seed.json`, JSON.stringify(seed));
      desk.tell(t("private.opened", { name: figures(name) }));
    } });
}

// What is opened is handed to the browser as a file and stays nowhere in the page.
function give(name, text) {
  const link = h("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
