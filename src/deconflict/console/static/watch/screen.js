// The watch: what is urgent, how each line stands, what is declared now and next.

import { h } from "../shell/dom.js";
import { t } from "../shell/words.js";
import { endingSoon } from "../account/machine.js";
import { alertList } from "./alerts.js";
import { declarationTable } from "./declarations.js";
import { heldList } from "./held.js";
import { lineList, speakForm, withoutLine } from "./lines.js";

export function open(main, desk) {
  const { world } = desk;
  const alerts = h("ul");
  const more = h("p", { class: "row" });
  const none = h("p", { class: "soft" }, t("watch.no_alerts"));
  const conflicts = h("p");
  const lines = h("ul", { "aria-live": "polite" });
  const without = h("p", { class: "peer" });
  const ending = h("p", { class: "overdue", role: "status", hidden: true });
  const table = declarationTable(desk);
  const held = heldList(desk);
  main.replaceChildren(
    h("div", { class: "two" },
      h("div", { class: "stack" },
        h("section", { "aria-labelledby": "h-alerts" }, h("h2", { id: "h-alerts" }, t("watch.alerts")), none,
          h("div", { role: "log", "aria-live": "assertive", "aria-relevant": "additions", "aria-label": t("watch.alerts") }, alerts), more)),
      h("div", { class: "stack" },
        h("section", { "aria-labelledby": "h-lines" }, h("h2", { id: "h-lines" }, t("watch.lines")), lines, without, ending, conflicts),
        held.node,
        speakForm(desk),
        h("section", { "aria-labelledby": "h-declared" }, h("h2", { id: "h-declared" }, t("watch.declared")), table.node))));
  const showAlerts = alertList(alerts, more, desk);
  const showLines = lineList(lines, desk);
  const ends = [
    endingSoon(ending),
    world.on(["alerts", "conflicts"], () => {
      showAlerts();
      none.hidden = world.openAlerts.all > 0;
      const standing = world.conflicts.length;
      conflicts.replaceChildren(standing ? h("a", { href: "#conflicts" }, t("watch.conflicts", { count: standing })) : t(world.knows("conflicts") ? "watch.no_conflicts" : "watch.reading"));
    }),
    world.on(["lines"], () => {
      showLines(world.lines);
      withoutLine(without, world.lines);
    }),
    world.on(["held"], () => held.show(world.held)),
    world.on(["declarations"], () => table.show(world.declarations, world.knows("declarations"))),
  ];
  return () => ends.forEach((end) => end());
}
