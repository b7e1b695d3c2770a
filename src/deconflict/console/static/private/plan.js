// What is flown in the private checks of a line: kept by the node, never sent, set anew, added to or
// taken away here. No plan and a plan in which nothing flies are two things.

import { utc } from "../shell/clock.js";
import { ask } from "../shell/ask.js";
import { h } from "../shell/dom.js";
import { call, get, may } from "../shell/node.js";
import { named, quoted, t } from "../shell/words.js";
import { fromTo } from "./terms.js";

const SHOWN = 200;

export const planOf = (line) => get(`/private/plan/${line}`);
const setPlan = (line, declarations) => call("PUT", `/private/plan/${line}`, { declarations });
const clearPlan = (line) => call("DELETE", `/private/plan/${line}`);
// A sortie of the plan as it is written again.
const written = ({ declaration_id, purpose, label, geometry }) => ({ declaration_id, purpose, label, geometry });

export const nameOf = ({ label, declaration_id: id }) => (label ? quoted(label) : id.slice(0, 12));

// How a plan stands, in a sentence.
export function standing({ set_utc: since, sorties }) {
  if (since === null) return t("private.no_plan");
  return sorties.length ? t("private.plan_holds", { count: sorties.length, since: utc(since) }) : t("private.plan_empty", { since: utc(since) });
}

// What the peer learns of it, and what it does not.
export const learned = () => h("div", { class: "stack" },
  h("h3", {}, t("private.learns")), h("ul", { class: "told" }, ["learns_own", "learns_that", "learns_closer"].map((each) => h("li", {}, t(`private.${each}`)))),
  h("h3", {}, t("private.learns_not")), h("ul", { class: "told" }, ["learns_not_rest", "learns_not_size"].map((each) => h("li", {}, t(`private.${each}`)))),
  h("p", { class: "permission" }, t("private.no_consent")));

// Puts flights into the plan of a line: asked how, read whole, then done. changed(plan) follows.
export async function putInto(line, drafts, changed) {
  const held = await planOf(line.line_id);
  const after = (how) => [...(how === "ADD" ? held.sorties.map(written) : []), ...drafts];
  ask({ title: t("private.put"), subject: standing(held), wanted: { how: "text" }, labels: { how: t("private.how") },
    choices: { how: ["ADD", "REPLACE"].map((each) => [each, named("private_put", each)]) },
    sure: ({ how }) => h("div", { class: "stack" }, h("p", { class: "said" }, t("private.put_sure", { peer: line.peer, count: after(how).length })), learned()),
    final: t("private.put_final"), verb: t("private.put"),
    send: async ({ how }) => changed(await setPlan(line.line_id, after(how))) });
}

// The plan of one line, with what can be done to it.
export function planPart(line, { frame }) {
  const box = h("div", { class: "stack" });
  const status = h("p", { role: "status" });
  const node = h("section", { "aria-label": t("private.plan_with", { peer: line.peer }) },
    h("h2", {}, t("private.plan_with", { peer: line.peer })), h("p", { class: "soft" }, t("private.plan_stays")), status, box);
  if (may("declare")) planOf(line.line_id).then(show).catch(frame.problem);
  else box.replaceChildren(h("p", { class: "soft" }, t("private.plan_not_yours")));
  return node;

  function changed(plan) {
    show(plan);
    status.textContent = t("private.plan_changed");
  }

  function show(plan) {
    box.replaceChildren(h("div", { class: "stack" },
      h("p", { class: plan.set_utc === null ? "permission" : null }, standing(plan)),
      plan.sorties.length > 0 && h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("private.plan_with", { peer: line.peer }) }, h("table", {},
        h("thead", {}, h("tr", {}, ["sortie", "when"].map((name) => h("th", { scope: "col" }, t(`private.${name}`))), h("td"))),
        h("tbody", {}, plan.sorties.slice(0, SHOWN).map((sortie) => h("tr", {},
          h("th", { scope: "row", dir: "auto" }, `${named("purpose", sortie.purpose)} ${nameOf(sortie)}`),
          h("td", { class: "figure" }, fromTo(sortie.start_utc, sortie.end_utc)),
          h("td", {}, h("button", { type: "button", "aria-label": t("private.remove_one", { sortie: nameOf(sortie) }), onclick: () => remove(plan, sortie) }, t("private.remove")))))))),
      plan.sorties.length > SHOWN && h("p", { class: "soft" }, t("private.more_sorties", { count: plan.sorties.length - SHOWN })),
      h("div", { class: "row" },
        h("a", { href: "#declare" }, t("private.to_draft")),
        (plan.set_utc === null || plan.sorties.length > 0) && h("button", { type: "button", onclick: () => empty(plan) }, t("private.nothing_flies")),
        plan.set_utc !== null && h("button", { type: "button", onclick: () => clear() }, t("private.clear")))));
  }

  // What a plan lacks is not checked: read before it is done.
  function again(title, subject, work) {
    ask({ title, subject, verb: title, danger: true, send: async () => changed(await work()) });
  }

  function remove(plan, sortie) {
    const others = plan.sorties.filter((each) => each.declaration_id !== sortie.declaration_id).map(written);
    again(t("private.remove"), t("private.remove_sure", { sortie: nameOf(sortie) }), () => setPlan(line.line_id, others));
  }

  function empty(plan) {
    again(t("private.nothing_flies"), `${standing(plan)}\n${t("private.nothing_flies_sure")}`, () => setPlan(line.line_id, []));
  }

  function clear() {
    again(t("private.clear"), t("private.clear_sure"), () => clearPlan(line.line_id));
  }
}
