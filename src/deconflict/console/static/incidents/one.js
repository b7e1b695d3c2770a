// One incident: every account in force side by side with what differs marked. None is chosen, none repaired.

import { figures, span, utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { may } from "../shell/node.js";
import { named, t } from "../shell/words.js";
import { nameOf, rowsOf } from "./codes.js";
import { accountForm, evidenceForm, giveRisk, noteBreach, takeBack } from "./say.js";

const part = (id, title, ...inside) => h("div", { class: "stack", role: "group", "aria-labelledby": id }, h("h3", { id }, title), ...inside);

// Builds the card once, so that what is being typed stays; show() brings it up to what stands now.
export function drawIncident(box, first, desk) {
  const { frame } = desk;
  let incident = first;
  const [heading, facts, accounts, risk, evidence, breaches] = [h("h2", { id: "h-incident" }), h("div", { class: "stack" }), h("div", { class: "scroll" }), h("div", { class: "stack" }), h("div", { class: "scroll" }), h("ul")];
  const form = may("send") ? accountForm(first, () => incident, desk) : null;
  const button = (words, work) => may("send") && h("div", { class: "row" }, h("button", { type: "button", onclick: frame.act(work) }, words));
  box.replaceChildren(h("section", { class: "stack", "aria-labelledby": "h-incident" }, heading, facts,
    part("h-accounts", t("incident.accounts"), h("p", { class: "soft" }, t("incident.none_chosen")), accounts, form?.form),
    part("h-risk", t("incident.risk"), risk, button(t("incident.give_risk"), () => giveRisk(incident, desk))),
    part("h-evidence", t("incident.evidence"), evidence, may("send") && evidenceForm(() => incident, desk)),
    part("h-breaches", t("incident.breaches"), breaches, button(t("incident.note_breach"), () => noteBreach(incident, desk)))));
  return { show };

  function show(found) {
    incident = found;
    heading.textContent = `${found.drill ? `${t("drill.mark")} ` : ""}${found.words} · ${utc(found.at_utc)} (${found.incident_id.slice(0, 8)})`;
    facts.replaceChildren(h("p", { class: "said", dir: "auto" }, found.text),
      h("dl", { class: "facts" }, h("dt", {}, t("card.where")), h("dd", {}, ["decimal", "dms", "mgrs"].map((notation) => h("div", { class: "figure" }, figures(found.place[notation]))), found.place.from_landmark && h("div", { dir: "auto" }, figures(found.place.from_landmark)))));
    accounts.replaceChildren(compared(found, desk));
    risk.replaceChildren(h("dl", { class: "facts" }, Object.entries(found.risk).flatMap(([party, code]) => [h("dt", {}, party), h("dd", {}, code ? named("risk", code) : t("incident.no_risk"))])),
      found.risks.length > 2 ? h("details", {}, h("summary", {}, t("incident.risks_before")), h("ul", {}, found.risks.map((each) => h("li", {}, `${utc(each.said_utc)} ${each.by}: ${each.words}`)))) : "");
    evidence.replaceChildren(found.evidence.length ? files(found) : h("p", { class: "soft" }, t("incident.no_evidence")));
    breaches.replaceChildren(...(found.breaches.length ? found.breaches.map((each) => breachRow(each)) : [h("li", { class: "soft" }, t("incident.no_breach"))]));
    form?.show();
  }

  function breachRow(each) {
    return h("li", { class: "line" }, h("strong", {}, each.by), ` · ${each.words} · `, h("span", { class: "figure" }, utc(each.at_utc)), " ",
      each.taken_back ? h("span", { class: "soft" }, t("incident.taken_back"))
        : may("send") && each.by === desk.about.party && each.breach !== "WITHDRAWN" && h("button", { type: "button", onclick: () => takeBack(incident, each, desk) }, t("incident.take_back")));
  }
}

function compared(incident, { about }) {
  const { accounts } = incident;
  if (!accounts.length) return h("p", { class: "soft" }, t("incident.no_account"));
  const differing = new Set(incident.differing.map(nameOf));
  const side = (by) => (by === about.party ? "own" : "peer");
  const note = (name) => [incident.times_apart_ms[name] && t("incident.apart_time", { span: span(incident.times_apart_ms[name]) }), incident.places_apart_m[name] && t("incident.apart_place", { metres: Math.round(incident.places_apart_m[name]) })].filter(Boolean);
  return h("table", { class: "compared" },
    h("caption", { class: "visually-hidden" }, t("incident.accounts")),
    h("thead", {}, h("tr", {}, h("td"), accounts.map((account) => h("th", { scope: "col", class: side(account.by) }, account.by, account.message === null ? ` (${t("incident.outside")})` : "", account.late ? ` · ${t("thread.delayed")}` : "")), h("th", { scope: "col" }, t("call.compared")))),
    h("tbody", {}, rowsOf(accounts).map(([name, values]) => h("tr", { class: differing.has(name) ? "differs" : null },
      h("th", { scope: "row", dir: "ltr" }, name), values.map((value) => h("td", { dir: "auto" }, value ?? h("span", { class: "soft" }, "–"))),
      h("td", { class: differing.has(name) ? "overdue" : "soft" }, differing.has(name) ? [t("call.differs"), ...note(name)].join(" ") : ""))),
      h("tr", {}, h("th", { scope: "row" }, t("incident.message")), accounts.map((account) => h("td", { class: "figure soft" }, account.message?.slice(0, 10) ?? "–")), h("td"))),
    incident.implausible.length > 0 && h("tfoot", {}, h("tr", {}, h("td", { colspan: String(accounts.length + 2), class: "overdue" }, incident.implausible.map((odd) => h("p", {}, t("incident.implausible", { by: odd.by, fields: odd.fields.join(", "), speed: odd.speed_mps })))))));
}

const files = (incident) => h("table", { class: "files" }, h("thead", {}, h("tr", {}, [t("record.whose"), "SHA-256", t("incident.bytes"), t("incident.type"), t("record.when")].map((words) => h("th", { scope: "col" }, words)))),
  h("tbody", {}, incident.evidence.map((each) => h("tr", {}, h("td", {}, each.by), h("td", { class: "figure" }, each.sha256), h("td", { class: "figure" }, String(each.length_bytes)), h("td", { dir: "auto" }, each.media_type), h("td", { class: "figure" }, utc(each.said_utc))))));
