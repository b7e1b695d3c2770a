// What is said of a call: drafts that stay here, texts that both sign, a side's own, or no details.
// What is typed and not kept yet survives a reload.

import { utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { ask } from "../shell/ask.js";
import { call as send, may, post } from "../shell/node.js";
import { language, named, t } from "../shell/words.js";
import { openSheet } from "../sheet/page.js";
import { SPOKEN, languageName, paragraphs, sideBySide, whole } from "./codes.js";

const KEPT = "readout/";
const DRAWN = () => [["theatre", t("sheet.theatre")], ["declared", t("sheet.declared")], ["none", t("sheet.no_map")]];
const whichOf = (readout) => (readout.message ?? readout.readout_hash ? `&message=${readout.message ?? readout.readout_hash}` : "");

// Every readout of a call, with what may be said to it.
export function drawReadouts(call, desk, write) {
  const { frame } = desk;
  if (!call.readouts.length) return [h("p", { class: "soft" }, t("call.no_readout"))];
  return call.readouts.map((readout) => h("article", { class: `alert ${readout.state === "PROPOSED" && readout.by === call.peer ? "PRIORITY" : "ROUTINE"}` },
    h("div", {}, h("h4", { class: "urgency" }, named("readout_state", readout.state)), h("p", {}, readout.by ?? `${desk.about.party} · ${call.peer}`), readout.readout_hash && h("p", { class: "soft figure" }, readout.readout_hash.slice(0, 16))),
    h("div", { class: "words" }, sideBySide(readout.texts)),
    h("div", { class: "row acts" },
      may("readout") && readout.state === "PROPOSED" && readout.by === call.peer && h("button", { type: "button", class: "first", onclick: frame.act(() => sign(call, readout, desk)) }, t("call.sign")),
      h("button", { type: "button", onclick: frame.act(() => openSheet(desk.main, frame, `/sheets/readout?call=${call.call_id}${whichOf(readout)}`, { choices: { drawn: DRAWN() } })) }, t("sheet.paper")),
      write && Object.keys(readout.texts).length > 0 && h("button", { type: "button", onclick: () => write(readout.texts) }, t("call.work_on")))));
}

// Exactly the text that is shown is signed: it is named by its hash, and the node compares its bytes.
function sign(call, readout, desk) {
  ask({ title: t("call.sign"), subject: whole(readout.texts), verb: t("call.sign"),
    sure: () => t("call.sign_sure", { peer: call.peer, hash: readout.readout_hash.slice(0, 16) }),
    send: () => post(`/lines/${call.line_id}/readouts`, { kind: "READOUT_AGREE", ref: readout.message, body: { readout: { call: call.call_id, texts: readout.texts } } }).then(desk.said) });
}

// What answers a text of the peer cites it, and else the call.
function cited(call) {
  const waiting = call.readouts.find((readout) => readout.state === "PROPOSED" && readout.by === call.peer);
  return waiting?.message ?? call.call_id;
}

// Where a text is worked on in two languages; latest() is the call as it stands when a button is pressed.
export function editor(call, latest, desk) {
  const { frame } = desk;
  const key = KEPT + call.call_id;
  const kept = JSON.parse(localStorage.getItem(key) ?? "null") ?? { languages: firstTwo(call), texts: {}, draft: null };
  const areas = [0, 1].map((at) => {
    const area = h("textarea", { rows: "8", dir: "auto", "aria-label": t("call.text_in", { number: at + 1 }), oninput: () => changed() });
    const choice = h("select", { "aria-label": t("field.language"), onchange: () => changed() }, SPOKEN.map((code) => h("option", { value: code, selected: code === kept.languages[at] }, languageName(code))));
    area.value = kept.texts[kept.languages[at]] ?? "";
    return { area, choice };
  });
  const draftName = h("p", { class: "soft", role: "status" });
  const act = (words, work, first = false) => h("button", { type: "button", class: first ? "first" : null, onclick: frame.act(work) }, words);
  const box = h("div", { class: "stack" },
    h("p", { class: "soft" }, t("call.draft_about")),
    h("div", { class: "two even" }, areas.map(({ area, choice }) => h("div", { class: "stack" }, choice, area))), draftName,
    h("div", { class: "row" },
      may("write_papers") && act(t("call.keep_draft"), keep),
      may("readout") && act(t("call.propose"), () => say("READOUT_PROPOSE", t("call.propose"), t("call.propose_sure", { peer: call.peer })), true),
      may("readout") && act(t("call.state_own"), () => say("READOUT_OWN", t("call.state_own"), t("call.state_own_sure", { peer: call.peer }))),
      may("readout") && act(t("call.withhold"), withhold),
      h("button", { type: "button", onclick: () => fill({}, null) }, t("declare.clear"))));
  showName();
  return { box, fill };

  function changed() {
    [kept.languages, kept.texts] = [areas.map(({ choice }) => choice.value), Object.fromEntries(areas.map(({ area, choice }) => [choice.value, area.value]))];
    localStorage.setItem(key, JSON.stringify(kept));
    showName();
  }

  function showName() {
    draftName.textContent = kept.draft ? t("call.is_draft", { id: kept.draft }) : "";
  }

  // Takes a text over to go on from it: of a draft, which is then kept under its name, or a readout.
  function fill(texts, draft) {
    const found = Object.keys(texts);
    const wanted = [...found, ...firstTwo(call).filter((code) => !found.includes(code))];
    areas.forEach(({ area, choice }, at) => {
      choice.value = wanted[at];
      area.value = (texts[wanted[at]] ?? []).join("\n\n");
    });
    kept.draft = draft;
    changed();
    if (found.length) areas[0].area.focus();
    else localStorage.removeItem(key);
  }

  function texts() {
    if (areas[0].choice.value === areas[1].choice.value) throw new Error(t("call.two_languages"));
    const found = Object.fromEntries(areas.map(({ area, choice }) => [choice.value, paragraphs(area.value)]).filter(([, lines]) => lines.length));
    if (!Object.keys(found).length) throw new Error(t("call.no_text"));
    return found;
  }

  async function keep() {
    const path = `/lines/${call.line_id}/papers`;
    const made = kept.draft ? await post(`${path}/${kept.draft}`, { texts: texts() }) : await post(path, { kind: "draft", call: call.call_id, texts: texts() });
    kept.draft = made.paper_id;
    changed();
    await desk.again();
  }

  function say(kind, title, sure) {
    const found = texts();
    ask({ title, subject: whole(found), verb: title, sure: () => `${sure}\n\n${whole(found)}`,
      send: () => post(`/lines/${call.line_id}/readouts`, { kind, ref: cited(latest()), body: { readout: { call: call.call_id, texts: found } } }).then(desk.said) });
  }

  function withhold() {
    ask({ title: t("call.withhold"), verb: t("call.withhold"), sure: () => t("call.withhold_sure", { peer: call.peer }),
      send: () => post(`/lines/${call.line_id}/readouts`, { kind: "READOUT_WITHHELD", ref: cited(latest()), body: { call: call.call_id } }).then(desk.said) });
  }
}

// The reader's language and one of the call's that is another, where it is known.
function firstTwo(call) {
  const said = call.records.flatMap((record) => record.languages);
  return [language, [...said, ...SPOKEN].find((code) => code !== language)];
}

// Own notes and drafts of a call: kept at this node, in no record and in no export.
export function drawPapers(papers, desk, take) {
  return papers.map((paper) => h("li", { class: "line", data: { key: paper.paper_id } },
    h("p", { class: "soft" }, `${named("paper", paper.kind)} ${paper.paper_id} · ${paper.written_by} · `, h("span", { class: "figure" }, utc(paper.written_utc))),
    sideBySide(paper.texts),
    may("write_papers") && h("div", { class: "row" },
      paper.kind === "draft" && h("button", { type: "button", onclick: () => take(paper.texts, paper.paper_id) }, t("call.work_on")),
      h("button", { type: "button", onclick: () => drop(paper, desk) }, t("call.drop")))));
}

const drop = (paper, desk) => ask({ title: t("call.drop"), subject: whole(paper.texts), verb: t("call.drop"), danger: true,
  sure: () => t("call.drop_sure", { id: paper.paper_id }), send: () => send("DELETE", `/papers/${paper.paper_id}`).then(desk.again) });
