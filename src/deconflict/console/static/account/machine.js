// What of the machine needs looking after: keys and certificates that end, copies of the record.

import { figures, utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { get, may, post } from "../shell/node.js";
import { named, quoted, t } from "../shell/words.js";

const EVERY_MS = 500;

export function certificatePart({ frame }) {
  const rows = h("tbody");
  get("/certificates").then((found) => rows.replaceChildren(...found.map(row))).catch(frame.problem);
  return h("section", { "aria-labelledby": "h-certificates" }, h("h2", { id: "h-certificates" }, t("machine.certificates")),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("machine.certificates") }, h("table", { class: "names" },
      h("thead", {}, h("tr", {}, ["what", "whose", "until", "left", "pin"].map((name) => h("th", { scope: "col" }, t(`machine.${name}`))))), rows)),
    h("p", { class: "soft" }, t("machine.renew")));
}

const row = (each) => h("tr", {}, h("td", {}, named("certificate", each.what)), h("td", {}, each.name),
  h("td", { class: "figure" }, each.until_utc ? figures(each.until_utc.slice(0, 10)) : ""),
  h("td", { class: each.soon ? "overdue" : "" }, left(each)), h("td", { class: "figure" }, each.pin));

const left = ({ days_left: days, soon, problem }) => problem || (days === null ? t("machine.no_end") : `${soon ? "! " : ""}${days < 0 ? t("machine.over", { count: -days }) : t("machine.days", { count: days })}`);

// For the watch: what ends soon, in words; nothing while nothing does.
export function endingSoon(node) {
  const look = () => get("/certificates").then((found) => {
    const soon = found.filter((each) => each.soon);
    node.replaceChildren(...soon.map((each) => h("span", {}, `${named("certificate", each.what)} ${quoted(each.name)}: ${left(each)}. `)));
    node.hidden = !soon.length;
  }).catch(console.warn); // it is looked at again; the head says when the node is gone
  look();
  const timer = setInterval(look, 3_600_000);
  return () => clearInterval(timer);
}

export function backupPart({ frame }) {
  const list = h("ul", { class: "stack" });
  const bar = h("progress", { hidden: true, "aria-label": t("machine.copying") });
  const said = h("p", { role: "status" });
  const make = h("button", { type: "button", class: "first", onclick: frame.act(() => post("/backups").then(follow)) }, t("machine.make"));
  let timer = null;
  get("/backups").then(follow).catch(frame.problem);
  const node = h("section", { "aria-labelledby": "h-backups" }, h("h2", { id: "h-backups" }, t("machine.backups")),
    h("p", {}, t("machine.holds")), h("p", { class: "permission" }, t("machine.restoring")),
    may("administer") && h("div", { class: "row" }, make, bar, said), list);
  return { node, leave: () => clearTimeout(timer) };

  function follow(view) {
    const { folder, made, running, done_bytes: done, total_bytes: total, problem } = view;
    [bar.hidden, make.disabled] = [!running, running];
    [bar.max, bar.value] = [total || 1, done];
    said.textContent = running ? t("machine.copying") : problem ? t("machine.not_made", { problem }) : "";
    list.replaceChildren(...(made.length ? made.map((each) => h("li", { class: "figure" }, figures(`${utc(each.made_utc)} · ${folder}/${each.name} · ${Math.ceil(each.size_bytes / 1000)} kB`)))
      : [h("li", { class: "soft" }, t("machine.none"))]));
    clearTimeout(timer);
    if (running) timer = setTimeout(() => get("/backups").then(follow).catch(frame.problem), EVERY_MS);
  }
}
