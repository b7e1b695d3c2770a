// How far a message came: sent, delivered, seen, loaded, answered. No state implies a later one,
// and none is permission.

import { h } from "../shell/dom.js";
import { named, t } from "../shell/words.js";

const STEPS = ["sent", "delivered", "seen", "loaded", "answered"];
// Which steps each state of the node shows as reached. SEEN was said by a person, LOADED by the
// unit that acts, CLOSED is an answer; an answer does not say that the unit has it.
const REACHED = {
  QUEUED: [], HELD: [], SENT: ["sent"], LACKED: ["sent", "delivered"], SEEN: ["sent", "delivered", "seen"], LOADED: ["sent", "delivered", "seen", "loaded"],
  CLOSED: ["sent", "delivered", "seen", "answered"], ANSWERED: ["sent", "delivered", "seen", "answered"],
};

export function receiptBar(message, { loads = false } = {}) {
  const reached = REACHED[message.state];
  const items = STEPS.filter((step) => step !== "loaded" || loads).map((step) => h("li", { class: reached?.includes(step) ? "done" : "" }, t(`bar.${step}`), !reached?.includes(step) && h("span", { class: "visually-hidden" }, ` ${t("bar.not")}`)));
  if (!reached) items.push(h("li", { class: "bad" }, named("delivery", message.state)));
  return h("ul", { class: "bar", "aria-label": t("bar.label") }, items);
}
