// What was said on a line, and one thread of it: each message with how far it came, and its answers.

import { local, utc } from "../shell/clock.js";
import { h, Rows } from "../shell/dom.js";
import { get } from "../shell/node.js";
import { named, t } from "../shell/words.js";
import { answersTo } from "../watch/actions.js";
import { aloud } from "./aloud.js";
import { receiptBar } from "./bar.js";
import { readbackTable } from "./readback.js";
import { translate, translated } from "./translation.js";

const SHOWN = 200;
const LOADS = new Set(["NOTIFY", "UPDATE", "CORRECTION", "CANCEL"]);

export function open(main, desk) {
  const { world, path, frame } = desk;
  const line = world.line(path[0]) ?? world.lines[0];
  if (!line) return void main.replaceChildren(h("p", {}, t("thread.no_line")));
  const wanted = path[1];
  const find = h("input", { type: "search", "aria-label": t("thread.find"), placeholder: t("thread.find"), oninput: () => draw() });
  const list = h("ul", { class: "stack" });
  const thread = h("div");
  const rows = new Rows(list, (message) => message.hash, (message) => entry(message, line));
  main.replaceChildren(
    h("div", { class: "row" }, world.lines.map((each) => h("a", { href: `#thread/${each.line_id}`, "aria-current": each === line ? "true" : null }, each.peer))),
    h("p", { class: "permission" }, t("watch.permission"), " ", t("thread.no_answer")),
    h("div", { class: "two" },
      h("section", { "aria-labelledby": "h-thread" }, h("h2", { id: "h-thread" }, t("thread.one")), thread),
      h("section", { "aria-labelledby": "h-messages" }, h("h2", { id: "h-messages" }, t("thread.all", { peer: line.peer })), h("div", { class: "row" }, h("div", { class: "grow" }, find)), list)));

  function draw() {
    const text = find.value.trim().toLowerCase();
    const all = [...world.messages.values()].filter((message) => message.line_id === line.line_id);
    const found = all.filter((message) => !text || `${message.text} ${message.kind} ${message.hash} ${message.precedence}`.toLowerCase().includes(text))
      .sort((one, other) => (one.created_utc < other.created_utc ? 1 : -1)).slice(0, SHOWN);
    rows.show(found);
    const chosen = wanted ? world.messages.get(wanted) : found[0];
    if (chosen) drawThread(thread, rootOf(chosen, world), world, desk);
    else thread.replaceChildren(h("p", { class: "soft" }, t("thread.none")));
  }

  // A message from before what was read at the beginning is asked for by itself.
  if (wanted && !world.messages.has(wanted)) get(`/messages/${wanted}`).then((message) => drawThread(thread, message, world, desk)).catch(frame.problem);
  return world.on(["messages"], draw);
}

const entry = (message, line) => h("li", { data: { key: message.hash } },
  h("a", { href: `#thread/${line.line_id}/${message.hash}`, class: message.outgoing ? "own" : "peer" }, `${utc(message.created_utc)} ${message.from_party}: ${mark(message)}${named("kind", message.kind)}`),
  h("p", { class: "said", dir: "auto" }, message.text.length > 160 ? `${message.text.slice(0, 160)}…` : message.text));

const mark = (message) => (message.drill ? `${t("drill.mark")} ` : "");

function rootOf(message, world) {
  let root = message;
  while (root.ref && world.messages.has(root.ref)) root = world.messages.get(root.ref);
  return root;
}

function drawThread(box, root, world, desk) {
  const below = (hash) => [...world.messages.values()].filter((message) => message.ref === hash).sort((one, other) => (one.created_utc < other.created_utc ? -1 : 1));
  const open = box.querySelector("details[open]")?.dataset.key;
  box.replaceChildren(...tree(root, 0));
  if (open) box.querySelector(`details[data-key="${open}"]`)?.setAttribute("open", "");

  function tree(message, depth) {
    const answers = message.outgoing ? [] : answersTo(message.kind, message.line_id, message.hash, message.text, desk);
    const node = h("article", { class: `alert ${message.precedence}` },
      h("div", {}, h("p", { class: "urgency" }, named("urgency", message.precedence)), h("p", { class: message.outgoing ? "own" : "peer" }, `${message.from_party}/${message.from_desk}`), h("p", { class: "figure" }, utc(message.created_utc)), h("p", { class: "soft" }, local(message.created_utc))),
      h("div", { class: "words" },
        h("h3", {}, mark(message), named("kind", message.kind), message.escalation ? ` · ${t("thread.escalated", { count: message.escalation })}` : ""),
        message.delayed && h("p", { class: "overdue" }, t("thread.delayed")),
        h("p", { class: "said", dir: "auto" }, message.text),
        message.text_author && message.text_author !== message.text && h("details", { data: { key: message.hash } }, h("summary", {}, t("thread.their_text", { language: message.language })), h("p", { class: "said", dir: "auto", lang: message.language }, message.text_author)),
        translated(message),
        message.kind === "READBACK" && compared(message, desk.frame),
        message.outgoing && receiptBar(message, { loads: LOADS.has(message.kind) }),
        h("p", { class: "soft figure" }, `${message.hash.slice(0, 16)} · ${t("thread.number", { seq: message.seq })}`)),
      h("div", { class: "row acts" }, answers, translate(message, desk), aloud(message, desk.frame)));
    return [node, ...(depth < 6 ? below(message.hash).flatMap((each) => tree(each, depth + 1)) : [])];
  }
}

// Asked for when somebody looks: field by field, as the machines compare it.
function compared(message, frame) {
  const box = h("div");
  return h("details", { ontoggle: ({ currentTarget }) => currentTarget.open && !box.children.length && get(`/messages/${message.hash}/readback`).then((rows) => box.replaceChildren(readbackTable(rows))).catch(frame.problem) },
    h("summary", {}, t("compare.show")), box);
}
