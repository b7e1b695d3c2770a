// Private checks: which there are with whom, how each stands, what was found, and what is flown in
// them. A table first; one check beside it as a card.

import { utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { get, may } from "../shell/node.js";
import { t } from "../shell/words.js";
import { drawCheck, markOf, outcomeOf, stateOf } from "./check.js";
import { drawFinding } from "./found.js";
import { learned, planPart } from "./plan.js";
import { propose } from "./say.js";
import { askAboutSites, sitesPart } from "./sites.js";
import { agreedLines, documentOf } from "./terms.js";

const RUNNING_MS = 700; // between two looks at a run that goes on
const LEAST_MS = 300; // steps come in dozens
const SHARE = 4;
const SHOWN = 100;
const LOUDEST = ["HIT", "NOT_CHECKED"];
// How the closer looks at a run, or the others at the same, stand: a finding is drawn anew for them.
const looksAt = ({ proposal, refines }, run, checks) => checks.filter((each) => each.refines?.of === (refines?.of ?? proposal) && each.refines.run === (refines?.run ?? run.run)).map((each) => [each.proposal, each.state, each.shown[0]?.outcome]);

export function open(main, shown) {
  const { world, frame, path } = shown;
  const [card, finding, list, plans] = [h("div"), h("div"), h("div"), h("div", { class: "stack" })];
  const status = h("p", { role: "status", class: "permission" });
  const desk = { ...shown, again: draw, tell, said };
  let kept = path[0] ?? null; // the check that is looked at: no newer one takes its place by itself
  let showCheck = null;
  let endFinding = () => {};
  let foundFor = "";
  let lines = "";
  let timer = null;
  let closed = false;
  let busy = false;
  let tookMs = 0;
  const sites = sitesPart(desk);
  main.replaceChildren(status, h("div", { class: "two" },
    h("div", { class: "stack" }, card, finding,
      h("section", { "aria-labelledby": "h-checks" }, h("h2", { id: "h-checks" }, t("screen.private")), h("p", { class: "soft" }, t("private.about")), list)),
    plans));
  const ends = [world.on(["private", "alerts"], () => soon(0)), world.on(["lines"], () => drawLines().catch(frame.problem))];
  return () => {
    closed = true;
    clearTimeout(timer);
    endFinding();
    ends.forEach((end) => end());
  };

  function tell(words) {
    status.textContent = words;
  }

  async function said(posted) {
    if (posted.kind === "PRIVATE_PROPOSE" && posted.hash) [kept, showCheck] = [posted.hash, null];
    tell([posted.state === "HELD" ? t("call.held_second") : t("private.sent"), ...(posted.warnings ?? [])].join(" "));
    await draw();
  }

  // Looks in a moment; what comes meanwhile is seen by the same look.
  function soon(wait) {
    if (closed || timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      if (busy) return soon(LEAST_MS);
      draw().catch(frame.problem);
    }, Math.max(wait, LEAST_MS, SHARE * tookMs));
  }

  async function draw() {
    busy = true;
    const begun = performance.now();
    try {
      await look();
      if (!closed) await sites.look();
    } finally {
      busy = false;
      tookMs = performance.now() - begun;
    }
  }

  async function look() {
    const checks = await get("/private");
    if (closed) return;
    const chosen = kept ? checks.find(({ proposal }) => proposal.startsWith(kept)) : checks.find(({ state }) => state === "PROPOSED" || state === "ACCEPTED") ?? checks[0];
    kept = chosen?.proposal ?? kept;
    drawList(checks);
    if (kept && !chosen) card.replaceChildren(h("section", {}, h("p", { role: "status" }, t("private.unknown"))));
    if (!chosen) return;
    const document = await documentOf(world.line(chosen.line_id));
    if (closed || chosen.proposal !== kept) return; // another was chosen meanwhile, and is looked at next
    showCheck ??= drawCheck(card, chosen, document, desk);
    showCheck(chosen);
    await lookAtRun(chosen, document, checks);
    if (chosen.shown.some(({ state }) => state === "RUNNING")) soon(RUNNING_MS);
  }

  // The run that is asked for, else the one that says most.
  async function lookAtRun(check, document, checks) {
    const known = check.shown.filter(({ outcome }) => outcome);
    const run = path[1] !== undefined && check.proposal.startsWith(path[0]) ? check.shown.find((each) => String(each.run) === path[1]) : LOUDEST.map((each) => known.findLast(({ stands }) => stands === each)).find(Boolean) ?? known.at(-1);
    const says = run?.outcome ? JSON.stringify([check.proposal, run.run, run.state, run.outcome, run.hits, run.reason, run.fallen, run.stands, looksAt(check, run, checks)]) : "";
    if (says === foundFor) return;
    foundFor = says;
    endFinding();
    endFinding = () => {};
    finding.replaceChildren();
    if (!says) return;
    const found = await get(`/private/${check.proposal}/${run.run}`);
    if (!closed && says === foundFor) endFinding = drawFinding(finding, found, document, desk);
  }

  function drawList(checks) {
    list.replaceChildren(checks.length ? h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("screen.private") }, h("table", {},
      h("thead", {}, h("tr", {}, ["peer", "first_period", "runs", "by", "stands"].map((name) => h("th", { scope: "col" }, t(`private.${name}`))))),
      h("tbody", {}, checks.slice(0, SHOWN).map(row)))) : h("p", { class: "soft" }, t("private.none")));
    if (checks.length > SHOWN) list.append(h("p", { class: "soft" }, t("private.more_checks", { count: checks.length - SHOWN })));
  }

  function row(check) {
    const last = check.shown.filter(({ outcome }) => outcome).at(-1) ?? check.shown.find(({ state }) => state === "RUNNING");
    return h("tr", { "aria-current": kept && check.proposal.startsWith(kept) ? "true" : null },
      h("th", { scope: "row" }, h("a", { href: `#private/${check.proposal}` }, `${check.peer} · ${markOf(check)}`)),
      h("td", { class: "figure" }, utc(check.start_utc)), h("td", { class: "figure" }, String(check.runs)),
      h("td", { class: check.own ? "own" : "peer" }, check.by),
      h("td", {}, stateOf(check), last && h("div", {}, h("strong", { class: last.stands === "NOT_CHECKED" ? "permission" : last.stands === "HIT" ? "overdue" : null }, outcomeOf(last)), " ", h("small", {}, t("private.of_run", { run: last.run })))));
  }

  // The plans: drawn anew when other lines have a private check, not while somebody works there.
  async function drawLines() {
    const agreed = await agreedLines(world.lines);
    const told = JSON.stringify(agreed.map(({ line }) => [line.line_id, line.terms_hash]));
    if (closed || told === lines) return;
    lines = told;
    plans.replaceChildren(
      ...agreed.flatMap((each) => [planPart(each.line, desk), may("terms") ? h("div", { class: "row" }, h("button", { type: "button", class: "first", onclick: () => propose(each, desk) }, t("private.propose_to", { peer: each.line.peer })), h("button", { type: "button", onclick: () => askAboutSites(each, desk) }, t("sites.ask", { peer: each.line.peer }))) : h("p", { class: "soft" }, t("private.may_not"))]),
      ...(agreed.length ? [sites.node] : []),
      agreed.length ? h("section", { "aria-label": t("private.learns") }, learned()) : h("section", {}, h("p", {}, t("private.no_terms"))));
  }
}
