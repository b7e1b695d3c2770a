// Suspending a part of a line from a time on, and ending what the own side suspended.

import { iso, now, utc } from "../shell/clock.js";
import { ask } from "../shell/ask.js";
import { get } from "../shell/node.js";
import { named, t } from "../shell/words.js";
import { say } from "./actions.js";

const DECIDED = "331"; // by our side: the reason unless another is chosen
const REASONS = new Set([301, Number(DECIDED), 332]);

// True of what the own side can still end; what is an exercise ends with it.
export const canEnd = (line, party) => line.suspensions.some(ownOf(party));
const ownOf = (party) => (each) => each.by === party && !each.resumed_utc && !each.drill;

const labels = () => ({ scope: t("suspension.scope"), effective: t("suspension.from") });
const from = (effective) => (effective ? utc(effective) : t("suspension.now"));

export async function suspend(line) {
  const [{ agreed }, phrases] = await Promise.all([get(`/lines/${line.line_id}/terms`), get("/phrases")]);
  const scopes = agreed?.suspension_scopes ?? [];
  if (!scopes.length) throw new Error(t("suspension.none", { peer: line.peer }));
  ask({ title: t("suspension.title", { peer: line.peer }), subject: t("suspension.about"), labels: labels(),
    wanted: { scope: "text", reason: "text", effective: "time?" }, hints: { reason: DECIDED },
    choices: { scope: scopes.map(({ name }) => [name, name]), reason: phrases.filter(({ number }) => REASONS.has(number)).map(({ number, text }) => [String(number), text]) },
    sure({ scope, effective }) {
      const { stops } = scopes.find(({ name }) => name === scope);
      return t("suspension.sure", { scope, from: from(effective), kinds: stops.map((kind) => named("kind", kind)).join(", ") });
    },
    verb: t("ask.send"),
    send: ({ scope, reason, effective }) => say(line.line_id, "SUSPEND", { scope, reason: Number(reason), effective_utc: effective ?? iso(now()) }) });
}

export function resume(line, party) {
  const own = line.suspensions.filter(ownOf(party));
  // One that is still to come is called off at the time at which it would begin.
  const ends = ({ scope, effective }) => effective ?? own.find((each) => each.scope === scope && !each.in_effect)?.effective_utc;
  ask({ title: t("suspension.end_title"), labels: labels(), wanted: { scope: "text", effective: "time?" },
    choices: { scope: own.map((each) => [each.scope, t("suspension.which", { scope: each.scope, from: utc(each.effective_utc) })]) },
    sure: (values) => t("suspension.end_sure", { scope: values.scope, from: from(ends(values)) }), verb: t("ask.send"),
    send: (values) => say(line.line_id, "RESUME", { scope: values.scope, effective_utc: ends(values) ?? iso(now()) }) });
}
