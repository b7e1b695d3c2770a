// One private check: who proposed what, how each run stands, and what can be done about it now.

import { figures, iso, local, now, utc } from "../shell/clock.js";
import { h, Rows } from "../shell/dom.js";
import { may } from "../shell/node.js";
import { named, t } from "../shell/words.js";
import { accept, cancel, decline, openToArbiter, runNow } from "./say.js";
import { fromTo, protects } from "./terms.js";

const DAY_MS = 86_400_000;
// Shape and word, never colour alone; what was not found is shown no calmer than it is.
const SHAPES = { HIT: "▲", NO_HIT: "○", NOT_CHECKED: "■" };
const LOUD = { HIT: "IMMEDIATE", NOT_CHECKED: "PRIORITY" };

// What it found, and what is left of that after closer looks.
export function outcomeOf({ outcome, stands, state }) {
  if (!outcome) return named("private_run", state);
  const said = named("private_outcome", outcome);
  return `${SHAPES[stands]} ${outcome === stands ? said : t("private.after_looks", { outcome: said, stands: named("private_outcome", stands) })}`;
}
export const isOver = ({ state }) => state === "WHOLE" || state === "ENDED";
export const loudness = ({ stands }) => LOUD[stands] ?? "ROUTINE";

// Proposed is said with whose turn it is.
export function stateOf(check) {
  if (check.fault) return t("private.cannot_run", { why: named("private_fault", check.fault) });
  if (check.state === "PROPOSED") return check.own ? t("private.waits_for", { peer: check.peer }) : t("private.waits_for_us");
  return named("private_state", check.state);
}

const whatOf = (check) => {
  if (check.mediator) return t("private.mediated", { mediator: check.mediator });
  if (check.protector) return t("private.sites", { protector: check.protector });
  return check.refines ? t("private.closer_look", { parts: check.refines.parts }) : t("private.coarse");
};
export const markOf = (check) => `${check.drill ? `${t("drill.mark")} ` : ""}${whatOf(check)}`;

// Draws into a box; show(check) draws what changed.
export function drawCheck(box, chosen, document, desk) {
  const title = h("h2", { id: "h-check" });
  const facts = h("dl", { class: "facts" });
  const acts = h("div", { class: "row" });
  const body = h("tbody");
  const table = h("table", { class: "runs" }, h("thead", {}, h("tr", {}, ["run", "period", "stands"].map((name) => h("th", { scope: "col" }, t(`private.${name}`))), h("td"))), body);
  let told = "";
  let known = new Map();
  box.replaceChildren(h("section", { "aria-labelledby": "h-check" }, title, h("div", { class: "stack" }, facts, acts, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("private.run_table") }, table))));
  const rows = new Rows(body, ({ run }) => String(run.run), ({ check, run }) => row(check, run));
  return show;

  function show(check) {
    const { shown, ...rest } = check;
    const says = JSON.stringify([rest, shown.map(isOver)]);
    if (says !== told) head(check);
    told = says;
    // A run is drawn anew when it says something else, so that focus and the reader's ear rest.
    const next = new Map(shown.map((run) => [run.run, { says: `${told} ${JSON.stringify(run)}`, item: { check, run } }]));
    for (const [number, each] of next) if (known.get(number)?.says === each.says) next.set(number, known.get(number));
    known = next;
    rows.show([...known.values()].map(({ item }) => item));
    table.hidden = !shown.length;
  }

  function head(check) {
    title.textContent = `${check.peer} · ${markOf(check)}`;
    const fact = (name, ...value) => [h("dt", {}, t(`private.${name}`)), h("dd", {}, ...value)];
    facts.replaceChildren(
      ...fact("by", h("span", { class: check.own ? "own" : "peer" }, check.by), " ", h("span", { class: "figure" }, utc(check.proposed_utc))),
      ...fact("state", h("strong", {}, stateOf(check))),
      ...fact("first_period", h("span", { class: "figure" }, utc(check.start_utc)), " ", h("small", {}, local(check.start_utc))),
      ...fact("runs", figures(String(check.runs))),
      ...(check.refines ? fact("refined", h("a", { href: `#private/${check.refines.of}/${check.refines.run}` }, t("private.refined_run", { run: check.refines.run }))) : []),
      ...(check.shown.filter(isOver).length === check.runs || protects(check) ? [] : fact("own_plan", check.plan_set ? t("private.plan_is_set") : h("span", { class: "permission" }, t("private.no_plan")))),
      ...(check.warning ? fact("mediator", h("strong", { class: "permission", dir: "auto" }, check.warning)) : []),
      ...fact("proposal", h("a", { class: "figure", href: `#thread/${check.line_id}/${check.proposal}` }, check.proposal.slice(0, 16))));
    acts.replaceChildren(...buttons(check));
  }

  function button(words, work, { first = false, key = words } = {}) {
    return h("button", { type: "button", class: first ? "first" : null, data: { key }, onclick: desk.frame.act(work) }, words);
  }

  function buttons(check) {
    const found = [];
    const ours = check.state === "PROPOSED" && !check.own;
    if (ours && may("terms")) {
      if (!check.fault) found.push(button(t("private.accept"), () => accept(check, desk), { first: true }));
      found.push(button(t("private.decline"), () => decline(check, desk)));
    } else if (ours) found.push(h("p", { class: "soft" }, t("private.may_not")));
    const allOver = check.shown.filter(isOver).length === check.runs;
    if (["PROPOSED", "ACCEPTED"].includes(check.state) && !ours && !allOver && may("declare")) found.push(button(t("private.cancel_all"), () => cancel(check, null, desk)));
    return found;
  }

  function row(check, run) {
    const key = (what) => ({ key: `${what} ${run.run}` });
    const over = isOver(run);
    const going = check.state === "ACCEPTED" && !over;
    return h("tr", { class: run.stands === "HIT" ? "differs" : null, data: { key: `run ${run.run}` } },
      h("th", { scope: "row", class: "figure" }, figures(String(run.run))),
      h("td", { class: "figure" }, fromTo(run.start_utc, run.end_utc)),
      h("td", {}, h("strong", { class: run.stands === "NOT_CHECKED" ? "permission" : null }, outcomeOf(run)), h("p", { dir: "auto" }, run.text),
        run.done !== null && h("progress", { max: run.steps, value: run.done, "aria-label": t("private.progress", { run: run.run }) }),
        run.picked && h("p", { class: "permission" }, t("private.picked")),
        run.coin_kept && h("p", { class: "overdue" }, t("private.coin_kept", { peer: check.peer }))),
      h("td", {}, h("div", { class: "row" },
        (run.outcome || run.hits > 0) && h("a", { href: `#private/${check.proposal}/${run.run}`, data: key("look") }, t("private.look")),
        going && run.state === "WAITING" && may("declare") && button(t("private.run_now"), () => runNow(check, run, desk), key("now")),
        going && may("declare") && button(t("private.cancel_run"), () => cancel(check, run, desk), key("cancel")),
        over && (run.sorties !== null || (protects(check) && run.state === "WHOLE")) && may("terms") && opening(check, run, key))));
  }

  // Nobody is given a plan before the time that the terms say.
  function opening(check, run, key) {
    if (!document) return null;
    const from = Date.parse(run.end_utc) + document.opened_after_days * DAY_MS;
    if (now() < from) return h("small", {}, t("private.open_from", { at: utc(iso(from)) }));
    return button(t("private.open_run"), () => openToArbiter(check, run, document.arbiter, desk), key("open"));
  }
}
