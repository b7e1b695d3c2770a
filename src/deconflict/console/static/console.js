// The thin console. It shows what the node says; whatever a peer wrote goes in by textContent.

import { follow } from "./events.js";
import { fields } from "./fields.js";
import { draw } from "./map.js";

const KEPT = 60; // messages shown of each direction of a line
const READBACK = { purpose: "text", position: "position", reach: "distance", altitudes: "band", start: "time", end: "time", parts: "count", landmark: "text?", distance: "distance?", bearing: "bearing?" };
const $ = (id) => document.getElementById(id);
let session = JSON.parse(sessionStorage.getItem("session") ?? "null");
let stopFollowing = () => {};
let phrases = [];
let heard = new Set();
let clockAhead = 0;

// -- the node ---------------------------------------------------------------------------------

async function call(method, path, body) {
  const response = await fetch(`/api/v1${path}`, {
    method,
    headers: { ...(session && { Authorization: `Bearer ${session.token}` }), ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
    cache: "no-store",
  });
  const answer = await response.json();
  if (response.ok) return answer;
  if (response.status === 401 && session) leave();
  const { problem, given, expected, remedy } = answer.error;
  throw new Error([problem, given && `given: ${given}`, expected && `expected: ${expected}`, remedy].filter(Boolean).join(" · "));
}

// Runs what a button does; a refusal is said, and nothing looks done that is not.
const act = (work) => async (event) => {
  event?.preventDefault();
  try {
    await work(event);
    $("problem").textContent = "";
  } catch (error) {
    $("problem").textContent = error.message;
  }
};

const say = (line, kind, body, more = {}) => call("POST", `/lines/${line}/messages`, { kind, body, ...more });

// -- building the page --------------------------------------------------------------------------

function el(name, text = "", className = "") {
  const node = document.createElement(name);
  node.textContent = text;
  node.className = className;
  return node;
}

function button(text, work) {
  const node = el("button", text);
  node.type = "button";
  node.addEventListener("click", act(work));
  return node;
}

const row = (...cells) => {
  const tr = el("tr");
  tr.append(...cells.map((cell) => (cell instanceof Node ? cell : el("td", cell))));
  return tr;
};

const fill = (id, nodes, empty) => $(id).replaceChildren(...(nodes.length ? nodes : [el("li", empty, "note")]));
const short = (utc) => (utc ? `${utc.slice(5, 10)} ${utc.slice(11, 19)}Z` : "never");
const may = (action) => session.actions.includes(action);

// While an exercise lasts the whole page is framed, and says on which lines and until when.
function showDrills(lines) {
  const own = lines.filter((line) => line.drill_until_utc).map((line) => `${line.peer} until ${short(line.drill_until_utc)}`);
  const theirs = lines.filter((line) => line.peer_drill_until_utc).map((line) => `of ${line.peer} until ${short(line.peer_drill_until_utc)}`);
  const said = [own.length ? `DRILL with ${own.join(", ")}: what you write there is marked DRILL` : "", theirs.length ? `DRILL ${theirs.join(", ")}` : ""];
  $("drill").textContent = said.filter(Boolean).join(" · ");
  $("drill").hidden = !(own.length || theirs.length);
  document.body.classList.toggle("drill", own.length > 0);
}

function showLines(lines) {
  fill("lines", lines.map((line) => {
    const item = el("li", "", `line ${line.state}`);
    item.append(el("strong", `${line.peer}: ${line.state}`), el("span", ` since ${short(line.since_utc)}`),
      el("p", `last heard ${short(line.last_heard_utc)} · terms ${line.terms_state.toLowerCase().replaceAll("_", " ")}` +
        ` · receipted ${line.receipted_seq} of ${line.own_seq}` +
        (line.clock_offset_ms === null ? " · peer's clock unknown" : ` · peer's clock ${line.clock_offset_ms} ms from ours`)));
    if (line.without_line.length) item.append(el("p", `no line to ${line.without_line.join(", ")}: what you declare does not reach them`));
    if (line.suspended) item.append(el("p", `SUSPENDED: ${line.suspended_scope ?? "all"}; safety messages and cease requests still pass`));
    return item;
  }), "no line yet");
  const chosen = $("speak").line.value;
  $("speak").line.replaceChildren(...lines.map((line) => new Option(line.peer, line.line_id)));
  if (lines.some((line) => line.line_id === chosen)) $("speak").line.value = chosen;
}

// Who is asked to act; the alert's text says since when, and what comes next.
function escalated({ level, facts }) {
  const asked = (facts.ladder?.asked ?? []).map(({ step }) => step.toLowerCase().replaceAll("_", " "));
  return level ? ` · escalated${asked.length ? `: ${asked.join(", ")}` : ""}` : "";
}

function showAlerts(alerts) {
  const fresh = alerts.filter((alert) => !heard.has(alert.alert_id));
  heard = new Set(alerts.map((alert) => alert.alert_id));
  if (fresh.some((alert) => ["FLASH", "IMMEDIATE"].includes(alert.urgency))) beep();
  fill("alerts", alerts.map((alert) => {
    const item = el("li", "", `alert ${alert.urgency}`);
    const mark = alert.drill ? "DRILL " : alert.facts.amid_exercise ? "REAL " : "";
    item.append(el("strong", `${mark}${alert.urgency} `), el("span", alert.text),
      el("p", `since ${short(alert.raised_utc)}${escalated(alert)} · desk ${alert.desk}`));
    if (alert.deadline_utc) {
      const deadline = el("p", "", "deadline");
      deadline.dataset.utc = alert.deadline_utc;
      item.append(deadline);
    }
    return item;
  }), "none open; this says nothing about what was not declared");
  tick();
}

function showConflicts(conflicts) {
  fill("conflicts", conflicts.map((conflict) => {
    const item = el("li", "", `conflict ${conflict.verdict}`);
    item.append(el("p", conflict.text));
    return item;
  }), "none found among what is declared");
}

function showDeclarations(declarations) {
  const all = (states) => [...new Set(Object.values(states).map(String))].join(", ") || "not sent";
  $("declarations").replaceChildren(...declarations.map((each) => row(
    each.own ? "own" : each.party, `${each.drill ? "DRILL " : ""}${each.purpose}${each.label ? ` “${each.label}”` : ""}`,
    short(each.start_utc), short(each.end_utc), all(each.delivery), all(each.readback),
    Object.values(each.loaded).every(Boolean) && Object.keys(each.loaded).length ? "yes" : "not known")));
}

function showMessages(messages) {
  $("messages").replaceChildren(...messages.map((message) => {
    const state = el("td", message.state + (message.escalation ? ` · escalated ${message.escalation}×` : "") + (message.delayed ? " · DELAYED, not to be acted on" : ""));
    const answers = el("td");
    if (!message.outgoing && may("send")) answers.append(...answersTo(message));
    const tr = row(short(message.created_utc), `${message.from_party}/${message.from_desk}`,
      `${message.drill ? "DRILL " : ""}${message.kind}`, el("td", message.text, "said"), state, answers);
    tr.className = `${message.precedence} ${message.outgoing ? "out" : "in"}`;
    return tr;
  }));
}

function answersTo(message) {
  const { line_id: line, hash: ref, kind } = message;
  if (["SEEN", "LOADED", "STANDBY"].includes(kind)) return [];
  const found = [];
  if (message.state === "LOGGED") found.push(button("Seen", () => call("POST", `/messages/${ref}/seen`)));
  if (kind === "LINE_CHECK") found.push(button("Retype", () => ask("Retype the line check", message.text, { text: "text" }, {},
    ({ text }) => say(line, "LINE_CHECK_REPLY", { text }, { ref }))));
  else if (["NOTIFY", "UPDATE", "CORRECTION"].includes(kind)) found.push(button("Read back", () => readBack(message)));
  if (!["ACK", "QUERY", "LINE_CHECK", "LINE_CHECK_REPLY"].includes(kind)) found.push(button("Acknowledge", () => say(line, "ACK", { answer: "ROGER" }, { ref })));
  for (const each of found) each.dataset.key = `${ref} ${each.textContent}`;
  return found;
}

function readBack({ line_id: line, hash: ref, text, body }) {
  const { declaration_id } = body.declaration;
  return ask("Read back", text, { declaration: "id", ...READBACK }, { declaration: declaration_id }, (said) => say(line, "READBACK", {
    values: {
      declaration_id, purpose: said.purpose, position: said.position, landmark: said.landmark, distance_mm: said.distance, bearing_ddeg: said.bearing,
      reach_mm: said.reach, ...said.altitudes, start_utc: said.start, end_utc: said.end, parts: said.parts,
    },
  }, { ref }));
}

// Asks for values in a dialog; what is typed stays there until the node has taken it.
function ask(title, subject, wanted, known, send) {
  $("ask-title").textContent = title;
  $("ask-subject").textContent = subject;
  $("ask-problem").textContent = "";
  const read = fields($("ask-fields"), wanted, known);
  $("ask-form").onsubmit = async (event) => {
    event.preventDefault();
    try {
      await send(read());
      $("ask").close();
    } catch (error) {
      $("ask-problem").textContent = error.message;
    }
  };
  $("ask").showModal();
  $("ask-fields").querySelector("input:not([readonly])").focus();
}

// -- keeping it true ------------------------------------------------------------------------------

let waiting = null;
const refreshSoon = () => (waiting ??= setTimeout(() => ((waiting = null), act(refresh)()), 120));

// Redraws a panel only when it says something new, and leaves the keyboard where it was.
const shown = {};
function show(panel, value, name = panel.name) {
  const now = JSON.stringify(value);
  if (shown[name] === now) return;
  shown[name] = now;
  const key = document.activeElement?.dataset?.key;
  panel(value);
  if (key) document.querySelector(`[data-key="${key}"]`)?.focus();
}

async function refresh() {
  const [lines, alerts, conflicts, declarations] = await Promise.all(["/lines", "/alerts", "/conflicts", "/declarations"].map((path) => call("GET", path)));
  show(showLines, lines);
  show(showDrills, lines, "drill");
  show(showAlerts, alerts);
  show(showConflicts, conflicts);
  show(showDeclarations, declarations);
  show((both) => draw($("map"), ...both), [declarations, conflicts], "map");
  const pages = await Promise.all(lines.flatMap((line) => [["out", line.own_seq], ["in", line.peer_seq]].map(([direction, last]) =>
    call("GET", `/lines/${line.line_id}/messages?direction=${direction}&after_seq=${Math.max(0, last - KEPT)}`))));
  show(showMessages, pages.flat().sort((a, b) => (a.created_utc < b.created_utc ? 1 : -1)));
}

function tick() {
  const now = Date.now() + clockAhead;
  $("clock").textContent = `${new Date(now).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  for (const node of document.querySelectorAll(".deadline")) {
    const left = Math.round((Date.parse(node.dataset.utc) - now) / 1000);
    const span = `${Math.floor(Math.abs(left) / 60)} min ${Math.abs(left) % 60} s`;
    node.textContent = left >= 0 ? `${span} left, until ${short(node.dataset.utc)}` : `OVERDUE by ${span}, since ${short(node.dataset.utc)}`;
    node.classList.toggle("overdue", left < 0);
  }
}

function beep() {
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  tone.connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.25);
  tone.onended = () => audio.close();
}

async function enter() {
  const node = await call("GET", "/node");
  clockAhead = Date.parse(node.now_utc) - Date.now();
  $("login").hidden = true;
  $("desk").hidden = false;
  $("party").textContent = node.party;
  $("who").textContent = `desk ${session.desk} · ${session.account} (${session.roles.join(", ").replaceAll("_", " ")})`;
  session.actions = (await call("GET", "/me")).actions;
  $("speak").hidden = !may("send");
  setInterval(tick, 1000);
  if (!may("read")) return ($("problem").textContent = "An administrator has no message rights; accounts are kept with `deconflict account`.");
  phrases = (await call("GET", "/phrases")).filter(({ number }) => number >= 200 && number < 250);
  $("speak").phrase.replaceChildren(...phrases.map(({ number, text }) => new Option(`${number} ${text}`, number)));
  stopFollowing = follow(session.token, refreshSoon, (state) => {
    $("live").textContent = state === "live" ? "live" : `NOT LIVE since ${short(new Date(Date.now() + clockAhead).toISOString())}: what you see may be old`;
    document.body.classList.toggle("stale", state !== "live");
    if (state === "live") refreshSoon();
    if (state === "refused") leave();
  });
  await refresh();
}

function leave() {
  stopFollowing();
  sessionStorage.removeItem("session");
  location.reload();
}

$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { account, password } = $("login");
  try {
    session = await call("POST", "/session", { account: account.value, password: password.value });
    password.value = "";
    sessionStorage.setItem("session", JSON.stringify(session));
    await act(enter)();
  } catch (error) {
    $("login-problem").textContent = error.message;
  }
});
$("logout").addEventListener("click", act(async () => (await call("DELETE", "/session"), leave())));
$("ask-cancel").addEventListener("click", () => $("ask").close());
$("line-check").addEventListener("click", act(() => {
  const groups = [...crypto.getRandomValues(new Uint32Array(3))].map((value) => String(value % 10_000).padStart(4, "0"));
  return say($("speak").line.value, "LINE_CHECK", { text: groups.join(" ") }, { drill: marked() });
}));
$("speak").addEventListener("submit", act(() => {
  const { number, text, values } = phrases.find((each) => each.number === Number($("speak").phrase.value));
  const line = $("speak").line.value, drill = marked();
  const lasts = drill === null ? document.body.classList.contains("drill") : drill;
  return ask("Safety of flight", `${lasts ? "DRILL (in earnest: choose REAL) " : ""}${text}`, values, {}, (said) => say(line, "SAFETY", { phrase: number, values: said }, { drill }));
}));

// null: as the line is. What answers a message has its mark, whatever stands here.
function marked() {
  const { value } = $("speak").drill;
  return value === "" ? null : value === "true";
}

if (session) act(enter)();
else $("login").hidden = false;
