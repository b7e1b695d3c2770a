// The closed lists of what is said of a call, with their words, and how people type its texts.

import { h } from "../shell/dom.js";
import { language, named } from "../shell/words.js";

const TIERS = ["WATCH", "WORKING", "SENIOR_1", "SENIOR_2", "SENIOR_3"];
const SUBJECTS = ["LINE", "DECLARATIONS", "CONFLICT", "INCIDENT", "SAFETY", "TERMS", "PROTECTED_SITES", "MAPS", "OTHER"];
const MEDIA = ["PHONE", "VIDEO", "IN_PERSON"];
const REASONS = ["NO_REASON", "TIME", "TIER", "LANGUAGES", "MEDIA", "SUBJECT", "SETTLED"];
const ROLES = ["WATCH_OFFICER", "RELEASING_OFFICER", "SENIOR_1", "SENIOR_2", "SENIOR_3", "INTERPRETER", "LEGAL_ADVISER", "PLANNER", "AIR_TRAFFIC_LIAISON", "HUMANITARIAN_NOTIFIER"];
export const SPOKEN = ["en", "ru", "ar", "tr", "he", "uk", "zh", "fr", "fa"];

export const choices = (table, codes) => codes.map((code) => [code, named(table, code)]);
export const tiers = () => choices("tier", TIERS);
export const subjects = () => choices("subject", SUBJECTS);
export const media = (codes = MEDIA) => choices("medium", codes);
export const reasons = () => choices("talk_reason", REASONS);
export const roles = () => choices("call_role", ROLES);

// The browser knows what a language is called in another one; a code that it does not know stays.
export const languageName = (code) => new Intl.DisplayNames([language], { type: "language" }).of(code) ?? code;
export const spoken = () => SPOKEN.map((code) => [code, languageName(code)]);

// Paragraphs stand apart by an empty line; what breaks within one is a space.
export const paragraphs = (text) => text.split(/\n\s*\n/).map((part) => part.split(/\s+/).filter(Boolean).join(" ")).filter(Boolean);

// The reader's own language first, then as they come.
export const inOrder = (texts) => Object.entries(texts).toSorted(([one], [other]) => (other === language) - (one === language));

// A text in each of its languages, side by side where there is room.
export const sideBySide = (texts) => h("div", { class: "two" }, inOrder(texts).map(([code, lines]) =>
  h("div", { class: "stack", lang: code, dir: "auto" }, h("p", { class: "soft" }, languageName(code)), lines.map((line) => h("p", {}, line)))));

// The same as one string, for a last look before it is signed.
export const whole = (texts) => inOrder(texts).map(([code, lines]) => `${languageName(code)}\n${lines.join("\n\n")}`).join("\n\n");
