// What to say of a message over a telephone: in each language of the line, with its check digits.

import { h } from "../shell/dom.js";
import { get } from "../shell/node.js";
import { t } from "../shell/words.js";

const RIGHT_TO_LEFT = new Set(["ar"]);
// As the node has it (messages/voice.py): what a desk says while a line is down.
const SAYABLE = new Set(["NOTIFY", "UPDATE", "CORRECTION", "CANCEL", "LOADED", "ACK", "SEEN", "STANDBY", "READBACK", "READBACK_RESULT", "CONCERN", "PROPOSE", "QUERY", "ANSWER", "SAFETY",
  "CEASE", "CEASED", "CONTINUING", "CANNOT_REACH", "LINE_CHECK", "LINE_CHECK_REPLY", "SUSPEND", "RESUME", "SCOPE", "DRILL_BEGIN", "DRILL_END",
  "TALK_REQUEST", "TALK_PROPOSE", "TALK_ACCEPT", "TALK_DECLINE", "TALK_CANCEL", "RELEASE_CONSENT"]);

// The button of an own message that can be said; null of any other.
export function aloud(message, frame) {
  if (!message.outgoing || !SAYABLE.has(message.kind)) return null;
  return h("button", { type: "button", onclick: frame.act(async () => show(await get(`/messages/${message.hash}/script`), message)) }, t("aloud.say"));
}

function show(script, message) {
  const dialog = h("dialog", { "aria-labelledby": "aloud-title", onclose: () => dialog.remove() },
    h("h2", { id: "aloud-title" }, t("aloud.title", { peer: message.to_party, number: script.number })),
    h("p", { class: "permission" }, t("aloud.not_authentic")),
    h("dl", { class: "facts" }, h("dt", {}, t("aloud.message")), h("dd", { class: "figure" }, script.message.slice(0, 8)), h("dt", {}, t("aloud.check")), h("dd", { class: "figure deadline" }, script.check)),
    Object.entries(script.scripts).map(([language, lines]) => h("section", { lang: language, dir: RIGHT_TO_LEFT.has(language) ? "rtl" : "ltr" }, h("ol", {}, lines.map((line) => h("li", {}, line))))),
    h("p", { class: "soft" }, t("aloud.then", { own: message.from_party, peer: message.to_party, id: script.message.slice(0, 10) })),
    h("form", { method: "dialog", class: "row no-print" }, h("button", { class: "first" }, t("ask.close"))));
  document.body.append(dialog);
  dialog.showModal();
}
