// How each line stands: up or down since when, who was heard, whose clock is how far off.

import { now, span, utc, whileShown } from "../shell/clock.js";
import { h, Rows } from "../shell/dom.js";
import { may } from "../shell/node.js";
import { named, t } from "../shell/words.js";
import { askWhose, checkLine, prepareCease, sendSafety } from "./actions.js";
import { canEnd, resume, suspend } from "./suspension.js";

export function lineList(list, desk) {
  const rows = new Rows(list, (line) => line.line_id, (line) => draw(line, desk));
  return (lines) => rows.show(lines);
}

function draw(line, desk) {
  const fact = (name, value) => [h("dt", {}, t(`line.${name}`)), h("dd", { class: "figure" }, value)];
  return h("li", { class: `line ${line.state}`, data: { key: line.line_id } },
    h("h3", {}, line.peer, ": ", named("line_state", line.state), " ", h("small", {}, t("alert.since", { at: utc(line.since_utc) }))),
    h("dl", {},
      fact("heard", ago(line.last_heard_utc)),
      fact("reached", ago(line.last_reached_utc)),
      fact("clock", line.clock_offset_ms === null ? t("line.clock_unknown") : t("line.clock_off", { ms: line.clock_offset_ms })),
      fact("receipts", t("line.receipted", { held: line.receipted_seq, sent: line.own_seq })),
      fact("terms", h("a", { href: `#terms/${line.line_id}` }, named("terms_state", line.terms_state))),
      line.paths.length > 1 ? fact("paths", line.paths.map((path) => `${path.number} ${named("line_state", path.state)}`).join(", ")) : []),
    line.suspensions.filter((each) => !each.drill).map(suspension),
    line.silent_because && h("p", { class: "overdue", dir: "auto" }, line.silent_because),
    line.declarations_unseen > 0 && h("p", { class: "overdue" }, t("line.unseen", { count: line.declarations_unseen })),
    h("div", { class: "row" },
      h("a", { href: `#thread/${line.line_id}` }, t("line.messages")),
      may("send") && h("button", { type: "button", onclick: desk.frame.act(() => checkLine(line)) }, t("act.line_check")),
      may("send") && line.terms_hash && h("button", { type: "button", onclick: desk.frame.act(() => suspend(line)) }, t("suspension.suspend")),
      may("send") && canEnd(line, desk.about.party) && h("button", { type: "button", onclick: desk.frame.act(() => resume(line, desk.about.party)) }, t("suspension.resume"))));
}

function suspension(each) {
  const said = t(each.in_effect ? "line.suspended" : "line.suspended_later", { scope: each.scope, by: each.by, from: utc(each.effective_utc) });
  return h("p", { class: "permission" }, said, each.resumed_utc && ` ${t("line.suspended_until", { until: utc(each.resumed_utc) })}`);
}

function ago(at) {
  const node = h("span");
  if (!at) return t("line.never");
  whileShown(node, () => {
    node.textContent = `${utc(at)} · ${t("line.ago", { span: span(now() - Date.parse(at)) })}`;
  });
  return node;
}

// Whom the terms of a line name as concerned, and nothing reaches.
export function withoutLine(node, lines) {
  const names = [...new Set(lines.flatMap((line) => line.without_line))];
  node.textContent = names.length ? t("watch.without_line", { parties: names.join(", ") }) : "";
  node.hidden = !names.length;
}

// What a watch officer says without being asked: safety of flight, a query, a cease request.
export function speakForm(desk) {
  if (!may("warn")) return h("section", { hidden: true });
  const { frame } = desk;
  return h("section", { "aria-labelledby": "h-speak" }, h("h2", { id: "h-speak" }, t("watch.speak")),
    h("p", { class: "permission" }, t("watch.permission")),
    h("div", { class: "row" },
      h("button", { type: "button", onclick: frame.act(() => sendSafety(desk)) }, t("act.safety")),
      may("send") && h("button", { type: "button", onclick: frame.act(() => askWhose(desk)) }, t("act.query")),
      h("button", { type: "button", class: "danger", onclick: frame.act(() => prepareCease(desk)) }, t("act.cease"))));
}
