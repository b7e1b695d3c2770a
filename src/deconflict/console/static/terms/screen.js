// The terms of a line: what a proposal changes first, then every field of it, then what is in force.
// What was read is what is signed: the node is told the hash of the text that stands here.

import { h } from "../shell/dom.js";
import { ask } from "../shell/ask.js";
import { get, may, post } from "../shell/node.js";
import { named, t } from "../shell/words.js";
import { ownTerms } from "./own.js";
import { changesOf, fieldsOf, inWords, section } from "./told.js";

const short = (hash) => hash.slice(0, 16);

export function open(main, desk) {
  const { world, frame, path, about } = desk;
  const line = world.line(path[0]) ?? world.lines[0];
  if (!line) return void main.replaceChildren(h("p", {}, t("thread.no_line")));
  const status = h("p", { role: "status" });
  const [proposed, agreed] = [h("div"), h("div")];
  const own = may("terms") ? ownTerms(line, frame, said) : null;
  main.replaceChildren(
    h("div", { class: "row" }, world.lines.map((each) => h("a", { href: `#terms/${each.line_id}`, "aria-current": each === line ? "true" : null }, each.peer))),
    h("h2", {}, t("terms.with", { peer: line.peer })), status, h("div", { class: "stack" }, proposed, agreed, ...(own ? [own.node] : [])));
  let shown = ""; // which texts stand here
  let turn = 0;
  return world.on(["lines"], () => draw().catch(frame.problem));

  async function draw() {
    const mine = ++turn;
    const found = await get(`/lines/${line.line_id}/terms/text`);
    if (mine !== turn) return; // asked for again meanwhile
    const state = JSON.stringify([found.state, found.agreed?.terms_hash, found.proposed?.terms_hash]);
    if (state === shown) return; // what is being read stays where it is
    shown = state;
    status.textContent = named("terms_state", found.state);
    proposed.replaceChildren(...(found.proposed ? [proposal(found)] : []));
    agreed.replaceChildren(section("h-agreed", t("terms.in_force"), found.agreed
      ? [h("p", { class: "soft" }, t("terms.version", { version: found.agreed.version, hash: short(found.agreed.terms_hash) })), fieldsOf(found.agreed)]
      : [h("p", { class: "soft" }, t("terms.none"))]));
    own?.show(found);
  }

  function proposal({ proposed: text, proposed_by: by, agreed: before }) {
    const theirs = by !== about.party;
    return section("h-proposed", t("terms.proposed_by", { party: by }), [
      h("p", { class: "soft" }, t("terms.version", { version: text.version, hash: short(text.terms_hash) })),
      before ? h("p", { class: "permission" }, t("terms.until_signed")) : h("p", { class: "permission" }, t("terms.first")),
      text.changes && changesOf(text.changes, before.version),
      h("details", { open: !text.changes }, h("summary", {}, t("terms.whole")), fieldsOf(text)),
      theirs && !may("terms") && h("p", {}, t("terms.may_not")),
      theirs && may("terms") && h("div", { class: "row" },
        h("button", { type: "button", class: "first", onclick: () => sign(text, before) }, t("terms.sign"))),
      theirs && h("p", { class: "soft" }, t("terms.no_refusal")),
      !theirs && h("p", {}, t("talk.waits_for", { peer: line.peer }))]);
  }

  // The changes once more, and then what signing does; the node signs the text of this hash or none.
  function sign({ terms_hash, changes, version }, before) {
    ask({ title: t("terms.sign"), subject: changes ? changes.map(inWords).join("\n") || t("terms.nothing_else") : t("terms.first"), verb: t("terms.sign"),
      sure: () => t(before ? "terms.sign_sure" : "terms.sign_sure_first", { peer: line.peer, version, hash: short(terms_hash) }),
      send: () => post(`/lines/${line.line_id}/terms/acceptance`, { terms_hash }).then(said) });
  }

  async function said(posted) {
    await draw();
    if (posted.state === "HELD") status.textContent = t("call.held_second");
  }
}
