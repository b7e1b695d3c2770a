// Calls: asked for, countered, accepted or declined, each time in UTC with the local one beside it;
// those that were held, what each side records of them, and the readouts.

import { utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { ask } from "../shell/ask.js";
import { get, may } from "../shell/node.js";
import { named, t } from "../shell/words.js";
import { drawCall, papersOf } from "./call.js";
import { drawTalk, request } from "./offers.js";
import { record } from "./records.js";

export function open(main, shown) {
  const { world, frame, path } = shown;
  const [talks, calls, card] = [h("ul"), h("ul", { class: "stack" }), h("div")];
  const status = h("p", { role: "status", class: "permission" });
  const desk = { ...shown, main, said, again: draw };
  let looked = null; // the card of the call that is looked at
  let turn = 0;
  main.replaceChildren(status, h("div", { class: "two" },
    h("div", { class: "stack" }, card,
      h("section", { "aria-labelledby": "h-talks" }, h("h2", { id: "h-talks" }, t("talk.ahead")),
        may("talk") && h("div", { class: "row" }, h("button", { type: "button", class: "first", onclick: () => request(desk) }, t("talk.request"))), talks)),
    h("section", { "aria-labelledby": "h-calls" }, h("h2", { id: "h-calls" }, t("talk.held")),
      may("talk") && h("div", { class: "row" }, h("button", { type: "button", onclick: unarranged }, t("call.record_unarranged"))), calls)));
  return world.on(["alerts", "lines"], () => draw().catch(frame.problem));

  async function draw() {
    const mine = ++turn;
    const [ahead, log] = await Promise.all([get("/talks"), get("/calls")]);
    const call = path[0] ? log.find((each) => each.call_id === path[0]) : null;
    const papers = call ? await papersOf(call) : [];
    if (mine !== turn) return; // asked for again meanwhile
    talks.replaceChildren(...(ahead.length ? ahead.map((talk) => drawTalk(talk, desk)) : [h("li", { class: "soft" }, t("talk.none"))]));
    const told = log.filter((each) => each.records.length || each.readouts.length);
    calls.replaceChildren(...(told.length ? told.toReversed().map(row) : [h("li", { class: "soft" }, t("talk.none_held"))]));
    if (call) {
      looked ??= drawCall(card, call, desk);
      looked.show(call, ahead.find((talk) => talk.call_id === call.call_id), papers);
    } else if (path[0]) card.replaceChildren(h("section", {}, h("p", { role: "status" }, t("call.unknown"))));
  }

  // A word after something was said: that it waits for another person, or what the node points out.
  async function said(posted) {
    status.textContent = [posted.state === "HELD" && t("call.held_second"), ...(posted.warnings ?? [])].filter(Boolean).join(" ");
    await draw();
  }

  function unarranged() {
    if (world.lines.length === 1) return record(world.lines[0].line_id, desk);
    return ask({ title: t("call.record_unarranged"), wanted: { line: "text" }, choices: { line: world.lines.map((line) => [line.line_id, line.peer]) }, verb: t("ask.next"),
      send: ({ line }) => record(line, desk) });
  }

  function row(call) {
    const [first] = call.records;
    return h("li", { class: "alert ROUTINE", data: { key: call.call_id } },
      h("div", {}, h("p", { class: "urgency" }, `${call.drill ? `${t("drill.mark")} ` : ""}${call.peer}`), h("p", { class: "figure" }, first && utc(first.start_utc)), h("p", { class: "soft figure" }, call.call_id.slice(0, 8))),
      h("div", { class: "words" },
        h("p", {}, t("call.recorded_by", { parties: call.records.map((each) => each.party).join(", ") || "–" })),
        call.differing.length > 0 && h("p", { class: "overdue" }, t("talk.differs", { field: call.differing.map((each) => named("record_field", each.field)).join(", ") })),
        call.readouts.map((readout) => h("p", {}, named("readout_state", readout.state), readout.by ? ` · ${readout.by}` : ""))),
      h("div", { class: "row acts" }, h("a", { href: `#talks/${call.call_id}`, "aria-current": call.call_id === path[0] ? "true" : null }, t("call.open"))));
  }
}
