// What the node knows, kept true by its stream of events. Every value is replaced when it changes,
// never changed, so whoever draws sees by identity what is new.

import { get } from "./node.js";

const KEPT = 200; // messages of each direction of a line
const LEAST_MS = 60; // events that come together are read up for together,
const SHARE = 4; // and no list is read more often than a quarter of the time

const LISTS = {
  lines: ["/lines", "line_id"],
  alerts: ["/alerts", "alert_id"],
  conflicts: ["/conflicts", "conflict_id"],
  declarations: ["/declarations", "declaration_id"],
  held: ["/held", "held_id"],
};
const FIRST = ["lines", "alerts"]; // what a watch is shown before all else
const TOPICS = [...Object.keys(LISTS), "messages", "watch", "private"];
const DECLARING = new Set(["NOTIFY", "UPDATE", "CORRECTION", "CANCEL", "READBACK", "READBACK_RESULT", "LOADED", "SEEN"]);
const OF_LINES = new Set(["drill", "line", "path", "terms"]);

export class World {
  lines = [];
  alerts = [];
  conflicts = [];
  declarations = [];
  held = [];
  messages = new Map(); // hash -> message; read once somebody looks at messages
  #listeners = new Map(TOPICS.map((topic) => [topic, new Set()]));
  #alerted = new Map(); // what the stream said of alerts since the last frame
  #stale = new Map(); // list -> the timer that reads it
  #tookMs = {};
  #turns = {};
  #wanted = null; // hashes of messages to be read; null while nobody looks at messages
  #onProblem;

  constructor(onProblem) {
    this.#onProblem = onProblem;
  }

  // Calls draw now and after each change of one of the topics; returns how to stop that.
  on(topics, draw) {
    for (const topic of topics) this.#listeners.get(topic).add(draw);
    if (topics.includes("messages")) this.#readRecent();
    draw();
    return () => topics.forEach((topic) => this.#listeners.get(topic).delete(draw));
  }

  // Reads everything anew; resolves when what comes first is there.
  async load() {
    const rest = Object.keys(LISTS).filter((list) => !FIRST.includes(list));
    await Promise.all(FIRST.map((list) => this.#read(list)));
    for (const list of rest) this.#read(list).catch(this.#onProblem);
    if (this.#wanted) {
      this.#wanted = null;
      this.#readRecent();
    }
    this.#tell("watch");
  }

  // Takes one event of the stream.
  take({ event, data }) {
    if (event === "alert") {
      // Shown before anything is asked for: an alert carries all that is known of it.
      if (!this.#alerted.size) setTimeout(() => this.#showAlerts());
      this.#alerted.set(data.alert_id, data);
    } else if (event === "message" || event === "delivery") {
      if (data.kind?.startsWith("PRIVATE_")) this.#tell("private");
      this.#wanted?.add(data.hash);
      if (this.#wanted) this.#soon("messages");
      this.#soon("lines");
      if (event === "delivery" || DECLARING.has(data.kind)) this.#soon("declarations");
    } else if (event === "conflict" || event === "conflict_ended") this.#soon("conflicts");
    else if (event === "declaration") this.#soon("declarations");
    else if (event === "held") this.#soon("held");
    else if (event === "watch" || event === "private") this.#tell(event);
    else if (OF_LINES.has(event)) this.#soon("lines");
  }

  line(id) {
    return this.lines.find((each) => each.line_id === id) ?? null;
  }

  #showAlerts() {
    const alerts = new Map(this.alerts.map((each) => [each.alert_id, each]));
    for (const [id, alert] of this.#alerted) {
      if (alert.open) alerts.set(id, alert);
      else alerts.delete(id);
    }
    this.#alerted.clear();
    this.#set("alerts", inOrder([...alerts.values()]));
  }

  // Reads a list up in a moment: a long one, that takes a while, not at every event.
  #soon(list) {
    if (this.#stale.has(list)) return;
    const wait = Math.max(LEAST_MS, SHARE * (this.#tookMs[list] ?? 0));
    this.#stale.set(list, setTimeout(() => {
      this.#stale.delete(list); // what happens from here on is read up for again
      (list === "messages" ? this.#readWanted() : this.#read(list)).catch(this.#onProblem);
    }, wait));
  }

  async #read(list) {
    const [path, id] = LISTS[list];
    const begun = performance.now();
    const turn = (this.#turns[list] = (this.#turns[list] ?? 0) + 1);
    const answer = await get(path);
    if (turn !== this.#turns[list]) return; // a later question is under way
    const found = same(this[list], answer, id);
    this.#set(list, list === "alerts" ? inOrder(found) : found);
    this.#tookMs[list] = performance.now() - begun;
  }

  async #readWanted() {
    const hashes = [...this.#wanted].slice(0, KEPT);
    for (const hash of hashes) this.#wanted.delete(hash);
    this.#keep(await Promise.all(hashes.map((hash) => get(`/messages/${hash}`))));
    if (this.#wanted.size) setTimeout(() => this.#soon("messages"));
  }

  async #readRecent() {
    if (this.#wanted) return;
    this.#wanted = new Set();
    try {
      const pages = await Promise.all(this.lines.flatMap((line) => ["out", "in"].map((direction) =>
        get(`/lines/${line.line_id}/messages?direction=${direction}&last=${KEPT}`))));
      this.#keep(pages.flat());
    } catch (error) {
      this.#wanted = null;
      this.#onProblem(error);
    }
  }

  #keep(found) {
    const messages = new Map(this.messages);
    for (const each of found) messages.set(each.hash, each);
    this.#set("messages", messages);
  }

  #set(topic, value) {
    if (this[topic] === value) return;
    this[topic] = value;
    this.#tell(topic);
  }

  #tell(topic) {
    for (const draw of this.#listeners.get(topic)) draw();
  }
}

const URGENCY = ["FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE"];

// The most urgent first; of those the one that has climbed highest, then the oldest.
function inOrder(alerts) {
  const rank = (alert) => URGENCY.indexOf(alert.urgency);
  const ordered = alerts.toSorted((one, other) => rank(one) - rank(other) || other.level - one.level || (one.raised_utc < other.raised_utc ? -1 : 1));
  return ordered.every((each, at) => each === alerts[at]) ? alerts : ordered;
}

// Another geometry is another revision: of thousands of flights it is most of what would be compared.
const told = ({ geometry, ...rest }) => JSON.stringify(rest);

// Keeps the objects that say the same as before, so that only what changed is drawn anew.
function same(before, found, id) {
  const known = new Map(before.map((each) => [each[id], each]));
  const kept = found.map((each) => {
    const old = known.get(each[id]);
    return old && told(old) === told(each) ? old : each;
  });
  return kept.length === before.length && kept.every((each, at) => each === before[at]) ? before : kept;
}
