// An exercise of this side: begun and ended here, announced to the peer or not. While it lasts every
// screen is framed.

import { iso, now, utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { ask } from "../shell/ask.js";
import { post } from "../shell/node.js";
import { t } from "../shell/words.js";

const ALL = "ALL"; // no id of a line

export function exercisePart({ world, frame }) {
  const list = h("ul", { class: "stack" });
  const node = h("section", { "aria-labelledby": "h-exercise" }, h("h2", { id: "h-exercise" }, t("exercise.title")),
    h("p", { class: "soft" }, t("exercise.about")),
    h("div", { class: "row" }, h("button", { type: "button", onclick: () => begin() }, t("exercise.begin"))), list);
  const leave = world.on(["lines"], () => {
    const lasting = world.lines.filter((line) => line.drill_until_utc);
    list.replaceChildren(...(lasting.length ? lasting.map((line) => h("li", { class: "row" },
      h("span", { class: "grow permission" }, t("drill.own", { peer: line.peer, until: utc(line.drill_until_utc) })),
      h("button", { type: "button", "aria-label": `${t("exercise.end")} ${line.peer}`, onclick: () => end(line) }, t("exercise.end")))) : [h("li", { class: "soft" }, t("exercise.none"))]));
  });
  return { node, leave };

  function begin() {
    ask({ title: t("exercise.begin"), wanted: { line: "text", until: "time", announced: "text" },
      labels: { until: t("exercise.until"), announced: t("exercise.announced") },
      choices: { line: [[ALL, t("exercise.every_line")], ...world.lines.map((line) => [line.line_id, line.peer])], announced: [["yes", t("exercise.told")], ["no", t("exercise.untold")]] },
      hints: { until: `${iso(now() + 3_600_000).slice(0, 16)}Z` }, verb: t("exercise.begin"),
      sure: ({ line, until, announced }) => t(announced === "yes" ? "exercise.sure_told" : "exercise.sure_untold", { peer: line === ALL ? t("exercise.every_line") : world.line(line).peer, until: utc(until) }),
      send: ({ line, until, announced }) => post("/drills", { until_utc: until, line: line === ALL ? null : line, announced: announced === "yes" }) });
  }

  function end(line) {
    ask({ title: t("exercise.end"), verb: t("exercise.end"), sure: () => t("exercise.end_sure", { peer: line.peer }), send: () => post("/drills/end", { line: line.line_id }) });
  }
}
