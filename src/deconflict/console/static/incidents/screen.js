// Incidents: each side writes down what it has; nobody has to agree. What differs is named, both stay.

import { utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { get, may } from "../shell/node.js";
import { named, t } from "../shell/words.js";
import { nameOf } from "./codes.js";
import { drawIncident } from "./one.js";
import { openIncident } from "./say.js";
import { tallies } from "./tally.js";

export function open(main, shown) {
  const { world, frame, path } = shown;
  const [list, card] = [h("ul"), h("div")];
  const status = h("p", { role: "status", class: "permission" });
  const desk = { ...shown, said, again: draw };
  const counted = tallies(desk);
  let one = null; // the card of the incident that is looked at
  let turn = 0;
  main.replaceChildren(status, h("div", { class: "two" }, h("div", { class: "stack" }, card, counted.box),
    h("section", { "aria-labelledby": "h-incidents" }, h("h2", { id: "h-incidents" }, t("screen.incidents")),
      may("send") && h("div", { class: "row" }, h("button", { type: "button", class: "first", onclick: frame.act(() => openIncident(desk)) }, t("incident.open"))), list)));
  return world.on(["alerts", "lines"], () => draw().catch(frame.problem));

  async function draw() {
    const mine = ++turn;
    const [rows, found] = await Promise.all([get("/incidents"), path[0] ? get(`/incidents/${path[0]}`) : null, counted.draw()]);
    if (mine !== turn) return; // asked for again meanwhile
    list.replaceChildren(...(rows.length ? rows.map(row) : [h("li", { class: "soft" }, t("incident.none"))]));
    if (!found) return;
    one ??= drawIncident(card, found, desk);
    one.show(found);
  }

  async function said(posted) {
    status.textContent = [posted.state === "HELD" && t("call.held_second"), ...(posted.warnings ?? [])].filter(Boolean).join(" ");
    await draw();
  }

  function row(each) {
    return h("li", { class: "alert ROUTINE", data: { key: each.incident_id } },
      h("div", {}, h("p", { class: "urgency" }, `${each.drill ? `${t("drill.mark")} ` : ""}${each.peer}`), h("p", { class: "figure" }, utc(each.at_utc)), h("p", { class: "soft figure" }, each.incident_id.slice(0, 8))),
      h("div", { class: "words" }, h("p", {}, each.words),
        h("p", { class: "soft" }, Object.entries(each.risk).map(([party, code]) => `${party}: ${code ? named("risk", code) : t("incident.no_risk")}`).join(" · ")),
        each.differing.length > 0 && h("p", { class: "overdue" }, t("incident.differ_in", { fields: [...new Set(each.differing.map(nameOf))].join(", ") }))),
      h("div", { class: "row acts" }, h("a", { href: `#incidents/${each.incident_id}`, "aria-current": each.incident_id === path[0] ? "true" : null }, t("incident.look"))));
  }
}
