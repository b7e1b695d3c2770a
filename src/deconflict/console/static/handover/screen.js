// The sheet of a watch that ends: what is open, whose time runs out, what comes. Signed off by who
// leaves, taken over by who comes; printed where paper is wanted.

import { utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { ask } from "../shell/ask.js";
import { get, may, post } from "../shell/node.js";
import { language, named, t } from "../shell/words.js";
import { openSheet } from "../sheet/page.js";
import { SHAPES } from "../watch/alerts.js";

export function open(main, desk) {
  const { world, frame } = desk;
  const sheet = h("div", { class: "stack" });
  main.replaceChildren(sheet);
  const draw = () => get("/watch").then((found) => drawSheet(sheet, found, frame, draw, main)).catch(frame.problem);
  return world.on(["watch", "alerts"], draw);
}

function drawSheet(box, sheet, frame, again, main) {
  const parts = [...new Set(sheet.items.map((item) => item.part))];
  box.replaceChildren(
    h("section", { "aria-labelledby": "h-sheet" },
      h("h2", { id: "h-sheet" }, t("handover.title", { party: sheet.party, desk: sheet.desk })),
      h("p", { class: "figure" }, t("handover.made", { at: utc(sheet.made_utc) })),
      sheet.signed_off_utc && h("p", { class: "permission" }, t("handover.signed_off", { at: utc(sheet.signed_off_utc) })),
      may("send") && h("div", { class: "row no-print" },
        h("button", { type: "button", class: "first", onclick: frame.act(() => takeOver(again)) }, t("handover.take_over")),
        h("button", { type: "button", onclick: frame.act(() => signOff(sheet, again)) }, t("handover.sign_off")),
        h("button", { type: "button", onclick: frame.act(() => openSheet(main, frame, "/sheets/handover")) }, t("handover.print")))),
    h("section", { "aria-labelledby": "h-sheet-lines" }, h("h2", { id: "h-sheet-lines" }, t("watch.lines")),
      h("ul", {}, sheet.lines.map((line) => h("li", { class: `line ${line.state}` }, h("strong", {}, `${line.peer}: ${named("line_state", line.state)} `), t("alert.since", { at: utc(line.since_utc) }), " ",
        h("button", { type: "button", onclick: frame.act(() => openSheet(main, frame, `/sheets/fallback?line=${line.line_id}`)) }, t("sheet.fallback", { peer: line.peer })))))),
    ...parts.map((part) => h("section", {}, h("h2", {}, named("part", part)), h("ul", {}, sheet.items.filter((item) => item.part === part).map(drawItem)))));
  if (!parts.length) box.append(h("section", {}, h("p", { class: "soft" }, t("handover.nothing"))));
}

const drawItem = (item) => h("li", { class: `alert ${item.urgency ?? "ROUTINE"}` },
  h("div", {}, item.urgency && h("p", { class: "urgency" }, `${item.drill ? `${t("drill.mark")} ` : ""}${SHAPES[item.urgency] ?? ""} ${named("urgency", item.urgency)}`),
    item.due_utc && h("p", { class: "figure" }, t("handover.due", { at: utc(item.due_utc) })), item.new && h("p", { class: "permission" }, t("handover.new"))),
  h("div", { class: "words" }, h("p", { class: "said", dir: "auto" }, item.text), item.done.length > 0 && h("p", { class: "soft" }, item.done.join(" · "))));

function takeOver(again) {
  ask({ title: t("handover.take_over"), verb: t("handover.take_over"), sure: () => t("handover.take_over_sure"),
    send: () => post("/watch/take-over", { languages: [language] }).then(again) });
}

function signOff(sheet, again) {
  const first = sheet.items.filter((item) => item.part === "WARNINGS").map((item) => item.text).join("\n");
  ask({ title: t("handover.sign_off"), subject: first, danger: true, verb: t("handover.sign_off"),
    sure: () => t(first ? "handover.sign_off_open" : "handover.sign_off_sure"),
    send: () => post("/watch/sign-off", { with_open: Boolean(first) }).then(again) });
}
