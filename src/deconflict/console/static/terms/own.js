// Terms of our own to propose: the ones in force, or those proposed, as a file that would follow
// them; edited where one likes, read here in words, and proposed in two steps.

import { h } from "../shell/dom.js";
import { ask } from "../shell/ask.js";
import { get, post, Refusal } from "../shell/node.js";
import { t } from "../shell/words.js";
import { changesOf, fieldsOf, inWords, section } from "./told.js";

// Refused here, without asking the node.
const refused = (key, values) => new Refusal(0, { problem: t(key, values) });
const MOST_BYTES = 65_536; // as a document of the line: more cannot be signed

export function ownTerms(line, frame, said) {
  const path = `/lines/${line.line_id}/terms`;
  const chosen = h("input", { type: "file", accept: ".json,application/json", onchange: frame.act(read) });
  const propose = h("button", { type: "button", class: "first", hidden: true, onclick: () => sure() }, t("terms.propose"));
  const found = h("div", { class: "stack", "aria-live": "polite" });
  const files = h("div", { class: "row" });
  const node = section("h-own", t("terms.own"), [h("p", { class: "soft" }, t("terms.own_about")), files,
    h("div", { class: "row" }, h("label", {}, t("terms.file"), chosen)), found, h("div", { class: "row" }, propose)]);
  let wanted = null; // what stands read here: the terms and their words
  return { node, show };

  // What was read may follow other terms than those in force now: it is read anew.
  function show({ agreed, proposed }) {
    files.replaceChildren(
      ...(agreed ? [h("button", { type: "button", onclick: frame.act(() => take("agreed")) }, t("terms.take_agreed"))] : []),
      ...(proposed ? [h("button", { type: "button", onclick: frame.act(() => take("proposed")) }, t("terms.take_proposed"))] : []),
      ...(agreed || proposed ? [] : [h("p", {}, t("terms.begin"))]));
    if (wanted) read().catch(frame.problem);
  }

  async function take(which) {
    const held = await get(path);
    const next = { ...held[which], version: (held.agreed?.version ?? 0) + 1, replaces: held.agreed_hash };
    const file = new Blob([`${JSON.stringify(next, null, 2)}\n`], { type: "application/json" });
    const link = h("a", { href: URL.createObjectURL(file), download: `terms-${line.peer}-${next.version}.json` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  async function read() {
    [wanted, propose.hidden] = [null, true];
    found.replaceChildren();
    const [file] = chosen.files;
    if (!file) return;
    if (file.size > MOST_BYTES) throw refused("terms.too_large", { kb: MOST_BYTES / 1024 });
    let terms;
    try {
      terms = JSON.parse(await file.text());
    } catch {
      throw refused("terms.not_json", { name: file.name });
    }
    const text = await post(`${path}/text`, { terms });
    wanted = { terms, text };
    found.replaceChildren(h("p", {}, t("terms.not_sent")), ...(text.changes ? [changesOf(text.changes, text.version - 1)] : []),
      h("details", { open: !text.changes }, h("summary", {}, t("terms.whole")), fieldsOf(text)));
    propose.hidden = false;
  }

  function sure() {
    const { terms, text } = wanted;
    ask({ title: t("terms.propose"), subject: text.changes ? text.changes.map(inWords).join("\n") || t("terms.nothing_else") : t("terms.first"), verb: t("terms.propose"),
      sure: () => t("terms.propose_sure", { peer: line.peer, version: text.version, hash: text.terms_hash.slice(0, 16) }),
      send: () => post(`${path}/proposal`, { terms }).then((posted) => {
        [wanted, propose.hidden, chosen.value] = [null, true, ""];
        found.replaceChildren();
        return said(posted);
      }) });
  }
}
