// What translators at home made of what somebody wrote: unofficial, never sent; and the button to add one.

import { ask } from "../shell/ask.js";
import { utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { may, post } from "../shell/node.js";
import { t } from "../shell/words.js";
import { SPOKEN } from "../talks/codes.js";

const WRITTEN = new Set(["ACCOUNT", "INCIDENT", "BREACH_NOTE", "READOUT_PROPOSE", "READOUT_OWN"]);

export const translated = (message) => message.translations.map((each) => h("div", { class: "stack" },
  h("p", { class: "permission" }, t("translation.by", { language: each.language, by: each.translator, at: utc(each.written_utc) })),
  each.lines.map((line) => h("p", { class: "said", dir: "auto", lang: each.language }, line))));

// The button of a message in which a person chose the words; null of any other.
export function translate(message, { world, frame }) {
  if (!may("write_papers") || !(message.body.not_binding || WRITTEN.has(message.kind))) return null;
  return h("button", { type: "button", onclick: frame.act(() => ask({ title: t("translation.title"), subject: message.text,
    wanted: { language: "text", text: "text" }, choices: { language: SPOKEN.map((each) => [each, each]) },
    labels: { language: t("translation.language"), text: t("translation.text") }, verb: t("translation.keep"),
    send: async ({ language, text }) => world.keep(await post(`/messages/${message.hash}/translations`, { language, lines: [text] })) })) }, t("translation.act"));
}
