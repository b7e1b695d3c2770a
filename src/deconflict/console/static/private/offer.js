// Instead of declaring: what is drafted goes into the private plan of a line whose terms have private
// checks. Nothing is sent by it.

import { h } from "../shell/dom.js";
import { may } from "../shell/node.js";
import { t } from "../shell/words.js";
import { learned, planOf, putInto, standing } from "./plan.js";
import { agreedLines } from "./terms.js";

// show(drafts, lines): drafts are null until nothing of them is open.
export function privateOffer({ world, frame }) {
  const rows = h("div", { class: "stack" });
  const status = h("p", { role: "status" });
  const node = h("section", { "aria-labelledby": "h-private", hidden: true }, h("h2", { id: "h-private" }, t("private.instead")),
    h("div", { class: "stack" }, h("p", { class: "soft" }, t("private.instead_about")), rows, status,
      h("details", {}, h("summary", {}, t("private.learns")), learned()), h("a", { href: "#private" }, t("screen.private"))));
  const buttons = new Map();
  let drafts = null;
  let shown = "";
  return { node, show: (ready, chosen) => show(ready, chosen).catch(frame.problem) };

  async function show(ready, chosen) {
    drafts = ready;
    for (const button of buttons.values()) button.disabled = !drafts;
    const agreed = may("declare") ? await agreedLines(world.lines.filter(({ line_id: id }) => chosen.includes(id))) : [];
    node.hidden = !agreed.length;
    const key = agreed.map(({ line }) => line.line_id).join();
    if (key === shown) return;
    shown = key;
    buttons.clear();
    rows.replaceChildren(...agreed.map(({ line }) => row(line)));
  }

  function row(line) {
    const says = h("span", {});
    const put = h("button", { type: "button", disabled: !drafts, onclick: frame.act(() => putInto(line, drafts, (plan) => {
      says.textContent = standing(plan);
      status.textContent = t("private.put_done", { peer: line.peer });
    })) }, t("private.put_for", { peer: line.peer }));
    buttons.set(line.line_id, put);
    planOf(line.line_id).then((plan) => (says.textContent = standing(plan))).catch(frame.problem);
    return h("div", { class: "row" }, h("strong", { class: "peer" }, line.peer), says, put);
  }
}
