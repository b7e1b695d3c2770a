// Declaring: whatever is pasted is read and echoed in every notation, what it leaves open is asked
// for, it is looked at against everything declared, and only then sent. The draft survives a
// reload; nothing is sent by one press. What is drawn on the map becomes the text, and what is pasted
// stands on the map.

import { h } from "../shell/dom.js";
import { ask } from "../shell/ask.js";
import { figures } from "../shell/clock.js";
import { may, post } from "../shell/node.js";
import { named, t } from "../shell/words.js";
import { privateOffer } from "../private/offer.js";
import { PURPOSES } from "../watch/actions.js";
import { draftMap } from "./map.js";

const KEPT = "draft";
const WAIT_MS = 500;
const SHAPES = ["circles", "corridor", "polygon"];
// What a document may leave open, as it is typed; a call says it beside the text.
const OPEN = ["radius", "half_width", "lower", "upper", "start_utc", "end_utc", "label"];

export function open(main, desk) {
  const { world } = desk;
  const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
  const text = h("textarea", { id: "draft", name: "text", spellcheck: "false", dir: "ltr", rows: "10" });
  text.value = kept.text ?? "";
  const choice = (name, values, words) => h("select", { name }, h("option", { value: "" }, t("declare.as_written")), values.map((value) => h("option", { value, selected: kept[name] === value }, words(value))));
  const asked = h("div", { class: "fields" },
    h("label", {}, t("field.purpose"), choice("purpose", PURPOSES, (value) => named("purpose", value))),
    h("label", {}, t("declare.shape"), choice("shape", SHAPES, (value) => named("shape", value))),
    OPEN.map((name) => h("label", {}, t(`declare.${name}`), h("input", { name, value: kept[name] ?? "", dir: name === "label" ? "auto" : "ltr", placeholder: name === "label" ? "" : t(`declare.${name}_as`), autocomplete: "off" }))));
  const lines = world.lines.map((line) => h("label", {}, h("span", {}, h("input", { type: "checkbox", name: "line", value: line.line_id, checked: line.terms_state === "AGREED" }), ` ${line.peer}`)));
  const problem = h("p", { class: "problem", role: "alert" });
  const read = h("div", { class: "stack", "aria-live": "polite" });
  const found = h("div", { class: "stack", "aria-live": "polite" });
  const send = h("button", { class: "first", disabled: true }, t("declare.send"));
  const form = h("form", { class: "stack", oninput: () => changed(), onsubmit: (event) => (event.preventDefault(), confirm()) },
    h("label", { for: "draft" }, t("declare.paste")), text, asked,
    h("fieldset", { class: "row" }, h("legend", {}, t("declare.to")), lines),
    problem,
    h("div", { class: "row" }, may("declare") || may("declare_site") ? send : h("p", { class: "soft" }, t("declare.may_not")), h("button", { type: "button", onclick: () => clear() }, t("declare.clear"))));
  const changes = []; // text and fields before each change made on the map
  const map = draftMap(desk, { write, undo });
  const privately = privateOffer(desk);
  main.replaceChildren(h("div", { class: "two" },
    h("div", { class: "stack" }, h("section", { "aria-labelledby": "h-draft" }, h("h2", { id: "h-draft" }, t("screen.declare")), form), privately.node),
    h("div", { class: "stack" },
      h("section", { "aria-labelledby": "h-draw" }, h("h2", { id: "h-draw" }, t("declare.map")), map.node),
      h("section", { "aria-labelledby": "h-read" }, h("h2", { id: "h-read" }, t("declare.read")), read),
      h("section", { "aria-labelledby": "h-found" }, h("h2", { id: "h-found" }, t("declare.found")), h("p", { class: "soft" }, t("declare.not_sent")), found))));
  let timer = null;
  let turn = 0;
  let ready = null; // the declarations, once nothing is open
  privately.show(ready, chosen());
  if (text.value.trim()) look();
  return () => {
    clearTimeout(timer);
    map.end();
  };

  // What was done on the map, into the form: from here on it is as if it had been typed.
  function write({ text: wanted, fields }) {
    changes.push({ text: text.value, fields: Object.fromEntries([...asked.querySelectorAll("input, select")].map(({ name, value }) => [name, value])) });
    fill(wanted, fields);
  }

  function undo() {
    const before = changes.pop();
    if (before) fill(before.text, before.fields);
    map.undoes(changes.length > 0);
  }

  function fill(wanted, fields) {
    text.value = wanted;
    for (const input of asked.querySelectorAll("input, select")) input.value = fields[input.name] ?? input.value;
    changed();
  }

  function typed() {
    const values = Object.fromEntries([...new FormData(form)].filter(([name, value]) => name !== "line" && value.trim()));
    localStorage.setItem(KEPT, JSON.stringify(values));
    for (const name of ["start_utc", "end_utc"]) {
      if (values[name]) values[name] = values[name].trim().replace(/T(\d\d:\d\d)Z$/, "T$1:00Z"); // on the minute
    }
    return values;
  }

  function chosen() {
    return new FormData(form).getAll("line");
  }

  function changed() {
    typed();
    ready = null;
    send.disabled = true;
    privately.show(ready, chosen());
    clearTimeout(timer);
    timer = setTimeout(look, WAIT_MS);
  }

  function clear() {
    text.value = "";
    for (const input of asked.querySelectorAll("input, select")) input.value = "";
    localStorage.removeItem(KEPT);
    clearTimeout(timer);
    turn += 1;
    ready = null;
    send.disabled = true;
    privately.show(ready, chosen());
    problem.textContent = "";
    read.replaceChildren();
    found.replaceChildren();
    map.show(null);
  }

  // The node reads the draft as it would when it is sent; the peer learns nothing.
  async function look() {
    const mine = ++turn;
    const values = typed();
    problem.textContent = "";
    found.replaceChildren();
    if (!values.text) {
      map.show(null);
      return read.replaceChildren();
    }
    try {
      const answer = await post("/drafts/read", { ...values, line: chosen()[0] ?? null });
      if (mine !== turn) return;
      showRead(answer);
      map.show(answer);
      if (!answer.drafts.length || answer.drafts.some((draft) => !draft.whole)) return;
      const declarations = answer.drafts.map(({ purpose, label, geometry }) => ({ purpose, label, geometry }));
      const { conflicts, warnings } = await post("/check", { declarations });
      if (mine !== turn) return;
      ready = declarations;
      send.disabled = !chosen().length;
      privately.show(ready, chosen());
      found.replaceChildren(
        ...warnings.map((each) => h("p", { class: "permission", dir: "auto" }, each)),
        h("p", {}, conflicts.length ? t("watch.conflicts", { count: conflicts.length }) : t("declare.no_conflict")),
        ...conflicts.map((each) => h("div", { class: "alert IMMEDIATE" }, h("p", { class: "urgency" }, named("verdict", each.verdict)), h("p", { class: "words said", dir: "auto" }, each.text))));
    } catch (error) {
      if (mine !== turn) return;
      problem.textContent = error.message;
      map.show(null, { unread: true });
    }
  }

  function showRead({ format_words: format, size_bytes: size, sha256, drafts, missing, losses }) {
    read.replaceChildren(
      h("p", {}, t("declare.format", { format, count: drafts.length })),
      h("p", { class: "soft figure" }, figures(`${size} B · SHA-256 ${sha256.slice(0, 16)}…`)),
      ...losses.map((each) => h("p", { class: "overdue", dir: "auto" }, `${named("loss", each.kind)}: ${each.where} ${each.text}`)),
      ...missing.map((each) => h("p", { class: "permission", dir: "auto" }, each.text)),
      ...drafts.slice(0, 20).map((draft) => h("article", { class: `alert ${draft.whole ? "ROUTINE" : "PRIORITY"}` },
        h("p", { class: "urgency" }, draft.purpose ? named("purpose", draft.purpose) : t("declare.open")),
        h("div", { class: "words" }, h("p", { class: "said", dir: "auto" }, draft.text),
          ...draft.missing.map((each) => h("p", { class: "permission", dir: "auto" }, each.text)),
          ...draft.warnings.map((each) => h("p", { class: "overdue", dir: "auto" }, each.text)),
          draft.places.length > 0 && h("details", {}, h("summary", {}, t("declare.places", { count: draft.places.length })),
            h("ul", {}, draft.places.slice(0, 50).map((place) => h("li", {}, h("div", { class: "figure" }, figures(`${place.decimal} · ${place.dms} · ${place.mgrs}`)), place.landmark && h("div", { class: "soft", dir: "auto" }, fromLandmark(place))))))))));
  }

  function confirm() {
    if (!ready) return;
    const peers = chosen().map((id) => world.line(id).peer).join(", ");
    const wanted = { declarations: ready, lines: chosen() };
    ask({ title: t("declare.send"), subject: [...read.querySelectorAll(".said")].map((node) => node.textContent).join("\n"), verb: t("declare.send"), sure: () => t("declare.sure", { peers }),
      async send() {
        const { posted } = await post("/declarations", wanted);
        clear();
        found.replaceChildren(...posted.flatMap((each) => [h("p", { role: "status" }, `${named("kind", each.kind)}: ${named("delivery", each.state)}`), ...each.warnings.map((warning) => h("p", { class: "permission", dir: "auto" }, warning))]));
      } });
  }
}

const fromLandmark = ({ landmark, distance_mm: mm, bearing_ddeg: ddeg }) => t("declare.from_landmark", { landmark, km: (mm / 1e6).toFixed(2), nm: (mm / 1_852_000).toFixed(2), deg: (ddeg / 10).toFixed(1) });
