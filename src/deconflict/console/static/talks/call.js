// One call: both records compared, own notes, the readouts, and where a text is worked on.

import { utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { get, may, post } from "../shell/node.js";
import { language, t } from "../shell/words.js";
import { compare, record } from "./records.js";
import { drawPapers, drawReadouts, editor } from "./readouts.js";

// Builds the card once, so that what is being typed stays; show() brings it up to what stands now.
export function drawCall(box, first, desk) {
  const { about, frame } = desk;
  let [call, known] = [first, {}];
  const [heading, records, papers, readouts] = [h("h2", { id: "h-call" }), h("div", { class: "stack" }), h("ul"), h("div", { class: "stack" })];
  const writes = may("write_papers") || may("readout");
  const text = writes ? editor(first, () => call, desk) : null;
  const note = h("textarea", { rows: "3", dir: "auto" });
  const part = (id, title, ...inside) => h("div", { class: "stack", role: "group", "aria-labelledby": id }, h("h3", { id }, title), ...inside);
  box.replaceChildren(h("section", { class: "stack", "aria-labelledby": "h-call" }, heading,
    part("h-records", t("call.records"), records,
      may("talk") && h("div", { class: "row" }, h("button", { type: "button", onclick: () => record(call.line_id, desk, { call, known }) }, t("call.record")))),
    may("read_papers") && part("h-papers", t("call.papers"), h("p", { class: "soft" }, t("call.papers_about")), papers,
      may("write_papers") && h("form", { class: "stack", onsubmit: frame.act(keepNote) }, h("label", {}, t("call.note"), note), h("div", { class: "row" }, h("button", {}, t("call.keep_note"))))),
    part("h-readouts", t("call.readouts"), readouts),
    text && part("h-text", t("call.write"), text.box)));
  return { show };

  function show(found, talk, own) {
    call = found;
    known = call.records.find((each) => each.party === about.party) ?? talk ?? call.records[0] ?? {};
    const mark = call.drill ? `${t("drill.mark")} ` : "";
    heading.textContent = mark + t("call.with", { peer: call.peer, at: utc(known.start_utc) ?? "", id: call.call_id.slice(0, 8) });
    records.replaceChildren(compare(call, about.party));
    readouts.replaceChildren(...drawReadouts(call, desk, text && ((texts) => text.fill(texts, null))));
    papers.replaceChildren(...drawPapers(own, desk, text?.fill));
  }

  async function keepNote() {
    const lines = note.value.split("\n").filter((line) => line.trim());
    if (!lines.length) throw new Error(t("call.no_text"));
    await post(`/lines/${call.line_id}/papers`, { kind: "note", call: call.call_id, texts: { [language]: lines } });
    note.value = "";
    await desk.again();
  }
}

export const papersOf = (call) => (may("read_papers") ? get(`/lines/${call.line_id}/papers?call=${call.call_id}`) : []);
