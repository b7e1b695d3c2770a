// Declaring: what is pasted is read and echoed, looked at against everything declared, and only then
// sent. The draft survives a reload; nothing is sent by one press.

import { h } from "../shell/dom.js";
import { ask } from "../shell/ask.js";
import { call, may } from "../shell/node.js";
import { named, t } from "../shell/words.js";

const KEPT = "draft";
const WAIT_MS = 500;
const GEO_JSON = "application/geo+json";

export function open(main, desk) {
  const { world } = desk;
  const text = h("textarea", { id: "draft", spellcheck: "false", dir: "ltr", rows: "14", oninput: () => changed() });
  text.value = localStorage.getItem(KEPT) ?? "";
  const lines = world.lines.map((line) => h("label", {}, h("span", {}, h("input", { type: "checkbox", name: "line", value: line.line_id, checked: line.terms_state === "AGREED" }), ` ${line.peer}`)));
  const problem = h("p", { class: "problem", role: "alert" });
  const found = h("div", { "aria-live": "polite", class: "stack" });
  const send = h("button", { type: "button", class: "first", disabled: true, onclick: () => confirm() }, t("declare.send"));
  let timer = null;
  let turn = 0;
  main.replaceChildren(h("div", { class: "two" },
    h("section", { "aria-labelledby": "h-draft" }, h("h2", { id: "h-draft" }, t("screen.declare")),
      h("label", { for: "draft" }, t("declare.paste")), text,
      h("fieldset", { class: "row" }, h("legend", {}, t("declare.to")), lines),
      problem, h("div", { class: "row" }, may("declare") || may("declare_site") ? send : h("p", { class: "soft" }, t("declare.may_not")), h("button", { type: "button", onclick: () => clear() }, t("declare.clear")))),
    h("section", { "aria-labelledby": "h-found" }, h("h2", { id: "h-found" }, t("declare.found")), h("p", { class: "soft" }, t("declare.not_sent")), found)));
  const chosen = () => [...main.querySelectorAll("input[name=line]:checked")].map((box) => box.value);
  for (const box of main.querySelectorAll("input[name=line]")) box.addEventListener("change", changed);
  if (text.value) check();
  return () => clearTimeout(timer);

  function changed() {
    localStorage.setItem(KEPT, text.value);
    send.disabled = true;
    clearTimeout(timer);
    timer = setTimeout(check, WAIT_MS);
  }

  function clear() {
    text.value = "";
    changed();
    found.replaceChildren();
    problem.textContent = "";
  }

  // The node reads the draft as it would when it is sent; the peer learns nothing.
  async function check() {
    const mine = ++turn;
    problem.textContent = "";
    if (!text.value.trim()) return;
    try {
      const { conflicts, warnings } = await call("POST", "/check", text.value, { type: GEO_JSON });
      if (mine !== turn) return;
      send.disabled = !chosen().length;
      found.replaceChildren(
        ...warnings.map((each) => h("p", { class: "permission", dir: "auto" }, each)),
        h("p", {}, conflicts.length ? t("watch.conflicts", { count: conflicts.length }) : t("declare.no_conflict")),
        ...conflicts.map((each) => h("div", { class: "alert IMMEDIATE" }, h("p", { class: "urgency" }, named("verdict", each.verdict)), h("p", { class: "words said", dir: "auto" }, each.text))));
    } catch (error) {
      if (mine !== turn) return;
      problem.textContent = error.message;
      found.replaceChildren();
    }
  }

  function confirm() {
    const peers = chosen().map((id) => world.line(id).peer).join(", ");
    ask({ title: t("declare.send"), subject: found.textContent, verb: t("declare.send"), sure: () => t("declare.sure", { peers }),
      async send() {
        const query = `lines=${encodeURIComponent(chosen().join(","))}`;
        const { posted } = await call("POST", `/declarations?${query}`, text.value, { type: GEO_JSON });
        clear();
        found.replaceChildren(...posted.flatMap((each) => [h("p", {}, `${named("kind", each.kind)}: ${named("delivery", each.state)}`), ...each.warnings.map((warning) => h("p", { class: "permission", dir: "auto" }, warning))]));
      } });
  }
}
