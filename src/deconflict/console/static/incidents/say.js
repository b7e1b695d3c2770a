// What is said of an incident: each is one side's word, signed, read whole before it is sent.

import { utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { ask } from "../shell/ask.js";
import { post } from "../shell/node.js";
import { named, t } from "../shell/words.js";
import { breaches, kinds, risks, typedFields } from "./codes.js";

const MOST_FILE_BYTES = 512 * 1024 * 1024; // a browser reads it whole

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const say = (line, kind, body, desk, ref = null) => post(`/lines/${line}/messages`, { kind, body, ref }).then(desk.said);

export function openIncident(desk) {
  const { world } = desk;
  ask({ title: t("incident.open"), subject: t("incident.open_about"), wanted: { line: "text", what: "text", at: "time", position: "position", level: "altitude?", risk: "text" },
    choices: { line: world.lines.map((line) => [line.line_id, line.peer]), what: kinds(), risk: risks() },
    sure: ({ line, what, at, risk }) => t("incident.open_sure", { peer: world.line(line).peer, what: named("incident_word", what), at: utc(at), risk: named("risk", risk) }), verb: t("incident.open"),
    send: ({ line, what, at, position, level, risk }) => say(line, "INCIDENT", { incident_id: hex(crypto.getRandomValues(new Uint8Array(16))), what, at_utc: at, position, risk, ...(level && { level }) }, desk) });
}

export function giveRisk(incident, desk) {
  ask({ title: t("incident.give_risk"), subject: t("incident.risk_about"), wanted: { risk: "text" }, choices: { risk: risks() }, hints: { risk: incident.risk[desk.about.party] },
    sure: ({ risk }) => t("incident.risk_sure", { risk: named("risk", risk) }), verb: t("ask.send"),
    send: ({ risk }) => say(incident.line_id, "RISK", { incident_id: incident.incident_id, risk }, desk) });
}

export function noteBreach(incident, desk) {
  ask({ title: t("incident.note_breach"), subject: t("incident.breach_about"), wanted: { breach: "text", at: "time", named: "text?", position: "position?", reference: "text?" }, choices: { breach: breaches() },
    hints: { at: incident.at_utc }, sure: ({ breach, at }) => t("incident.breach_sure", { breach: named("breach", breach), at: utc(at) }), verb: t("ask.send"),
    send: ({ breach, at, ...more }) => say(incident.line_id, "BREACH_NOTE", { breach, at_utc: at, incident_id: incident.incident_id, ...Object.fromEntries(Object.entries(more).filter(([, value]) => value !== null)) }, desk) });
}

export function takeBack(incident, breach, desk) {
  ask({ title: t("incident.take_back"), subject: breach.words, verb: t("incident.take_back"), sure: () => t("incident.take_back_sure", { breach: breach.words, at: utc(breach.at_utc) }),
    send: () => say(incident.line_id, "BREACH_NOTE", { breach: "WITHDRAWN", at_utc: breach.at_utc, incident_id: incident.incident_id }, desk, breach.message) });
}

// Where an account is typed; latest() is the incident as it stands. What is typed survives a reload.
export function accountForm(first, latest, desk) {
  const { about, frame } = desk;
  const key = `account/${first.incident_id}`;
  const area = h("textarea", { rows: "5", dir: "ltr", spellcheck: "false", placeholder: "closest_m = 805\nthere = 35.2 40.0\nseen_by = radar", oninput: () => localStorage.setItem(key, area.value) });
  area.value = localStorage.getItem(key) ?? "";
  const source = h("input", { dir: "auto", autocomplete: "off" });
  const corrects = h("select", {});
  const form = h("form", { class: "stack", onsubmit: frame.act(give) },
    h("label", {}, t("incident.account_as"), area),
    h("div", { class: "fields" }, h("label", {}, t("incident.corrects"), corrects), h("label", {}, t("incident.source"), source)),
    h("div", { class: "row" }, h("button", { class: "first" }, t("incident.give_account"))));
  return { form, show };

  function show() {
    const mine = latest().accounts.filter((account) => account.by === about.party && account.message);
    const before = corrects.value;
    corrects.replaceChildren(h("option", { value: "" }, t("incident.corrects_none")), ...mine.map(({ message, said_utc: said }) => h("option", { value: message, selected: message === before }, `${utc(said)} ${message.slice(0, 8)}`)));
  }

  function give() {
    const fields = typedFields(area.value);
    const by = source.value.trim();
    const { incident_id: id, line_id: line } = latest();
    const ref = corrects.value || null;
    ask({ title: t("incident.give_account"), subject: area.value.trim(), verb: by ? t("incident.keep_outside") : t("ask.send"),
      sure: () => `${by ? t("incident.outside_sure", { source: by }) : t("incident.account_sure", { peer: latest().peer })}\n\n${area.value.trim()}`,
      send: async () => {
        if (by) await post(`/incidents/${id}/outside`, { by, fields, line }).then(desk.again);
        else await say(line, "ACCOUNT", { incident_id: id, fields }, desk, ref);
        area.value = source.value = "";
        localStorage.removeItem(key);
      } });
  }
}

// A file is named by its hash, worked out here; the file itself goes nowhere. The same shows whether
// a file that somebody handed over is one that was named.
export function evidenceForm(latest, desk) {
  const { frame } = desk;
  const found = h("p", { role: "status" });
  const name = h("button", { type: "button", hidden: true }, t("incident.name_evidence"));
  const file = h("input", { type: "file", onchange: frame.act(look) });
  return h("div", { class: "stack" }, h("label", {}, t("incident.file"), file), found, h("div", { class: "row" }, name));

  async function look() {
    const [chosen] = file.files;
    name.hidden = true;
    found.textContent = "";
    if (!chosen) return;
    if (chosen.size > MOST_FILE_BYTES) throw new Error(t("incident.file_too_large"));
    const sha256 = hex(await crypto.subtle.digest("SHA-256", await chosen.arrayBuffer()));
    file.value = ""; // the same name, chosen again, is looked at again
    const known = latest().evidence.filter((each) => each.sha256 === sha256);
    found.textContent = `${chosen.name} · ${sha256} · ${known.length ? t("incident.named_by", { parties: [...new Set(known.map((each) => each.by))].join(", ") }) : t("incident.named_by_none")}`;
    name.hidden = known.some((each) => each.by === desk.about.party);
    name.onclick = frame.act(() => ask({ title: t("incident.name_evidence"), subject: t("incident.evidence_about"), verb: t("ask.send"), sure: () => t("incident.evidence_sure", { hash: sha256, peer: latest().peer }),
      send: () => say(latest().line_id, "EVIDENCE", { incident_id: latest().incident_id, sha256, length_bytes: chosen.size, media_type: (chosen.type || "application/octet-stream").toLowerCase() }, desk) }));
  }
}
