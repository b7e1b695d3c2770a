// Alerts, the most urgent first: what, since when, how long is left, and the one or two right steps.

import { local, now, span, utc, whileShown } from "../shell/clock.js";
import { h, Rows } from "../shell/dom.js";
import { named, t } from "../shell/words.js";
import { isUrgent } from "../shell/world.js";
import { actionsFor } from "./actions.js";

// A shape beside the word, so that urgency does not hang on colour.
export const SHAPES = { FLASH: "◆◆", IMMEDIATE: "▲", PRIORITY: "■", ROUTINE: "●" };

const LONG = 320;
const AT_ONCE = 30;

// The urgent ones are all shown. Of the others as many as one can look at, and how many more: also
// those that are open and not read yet.
export function alertList(list, more, desk) {
  const rows = new Rows(list, (alert) => alert.alert_id, (alert, before) => draw(alert, desk, before));
  let most = AT_ONCE;
  const button = h("button", { type: "button", onclick: () => {
    most += AT_ONCE;
    show();
  } });
  more.append(button);
  function show() {
    const { alerts, openAlerts } = desk.world;
    let room = most - alerts.filter(isUrgent).length;
    const shown = alerts.filter((alert) => isUrgent(alert) || room-- > 0);
    rows.show(shown);
    const count = openAlerts.all - shown.length;
    button.hidden = count === 0;
    button.textContent = t("watch.more_alerts", { count });
  }
  return show;
}

function draw(alert, desk, before) {
  const mark = alert.drill ? `${t("drill.mark")} ` : alert.facts.amid_exercise ? `${t("drill.real")} ` : "";
  const said = h("p", { class: "said", dir: "auto" }, alert.text);
  // What is urgent is never folded.
  const foldable = alert.text.length > LONG && (alert.urgency === "PRIORITY" || alert.urgency === "ROUTINE");
  const folded = foldable && (before ? before.classList.contains("folded") : true);
  const item = h("li", { class: `alert ${alert.urgency}${folded ? " folded" : ""}`, data: { key: alert.alert_id } },
    h("p", { class: "urgency" }, `${mark}${SHAPES[alert.urgency]} ${named("urgency", alert.urgency)}`),
    h("div", { class: "words" }, said, climbed(alert)),
    deadline(alert),
    h("p", { class: "soft" }, t("alert.since", { at: utc(alert.raised_utc) }), h("br"), local(alert.raised_utc)));
  const acts = actionsFor(alert, desk);
  if (foldable) {
    const more = h("button", { type: "button", "aria-expanded": String(!folded), onclick: () => {
      const now = item.classList.toggle("folded");
      more.setAttribute("aria-expanded", String(!now));
      more.textContent = t(now ? "alert.more" : "alert.less");
    } }, t(folded ? "alert.more" : "alert.less"));
    acts.push(more);
  }
  item.append(h("div", { class: "row acts" }, acts.map((button, at) => {
    button.dataset.key = `${alert.alert_id} ${at}`;
    return button;
  })));
  return item;
}

// Who has been asked to act besides this desk; the alert's text says since when, and what is next.
function climbed({ level, facts }) {
  const asked = (facts.ladder?.asked ?? []).map(({ step }) => named("step", step));
  return level ? h("p", { class: "overdue" }, t("alert.climbed", { steps: asked.join(", ") || String(level) })) : null;
}

function deadline({ deadline_utc: until }) {
  const node = h("p", { class: "deadline figure" });
  if (!until) return node;
  whileShown(node, () => {
    const left = Date.parse(until) - now();
    node.textContent = left >= 0 ? t("alert.left", { span: span(left) }) : t("alert.overdue", { span: span(left) });
    node.title = utc(until);
    node.classList.toggle("overdue", left < 0);
  });
  return node;
}
