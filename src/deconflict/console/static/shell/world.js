// What the node knows, kept true by its stream of events. Every value is replaced when it changes,
// never changed, so whoever draws sees by identity what is new.

import { get } from "./node.js";

const GATHER_MS = 60; // events that come together are read up for together
const KEPT = 200; // messages of each direction of a line

export const TOPICS = ["lines", "alerts", "conflicts", "declarations", "messages", "held", "watch"];

export class World {
  lines = [];
  alerts = [];
  conflicts = [];
  declarations = [];
  messages = new Map(); // hash -> message
  held = [];
  #listeners = new Map(TOPICS.map((topic) => [topic, new Set()]));
  #stale = new Set();
  #wanted = new Set(); // hashes of messages to be read
  #gathering = null;
  #reading = Promise.resolve();
  #onProblem;

  constructor(onProblem) {
    this.#onProblem = onProblem;
  }

  // Calls draw now and after each change of one of the topics; returns how to stop that.
  on(topics, draw) {
    for (const topic of topics) this.#listeners.get(topic).add(draw);
    draw();
    return () => topics.forEach((topic) => this.#listeners.get(topic).delete(draw));
  }

  // Reads everything, as at the beginning and after a broken stream that could not be resumed.
  async load() {
    this.#stale = new Set(TOPICS);
    await this.#readUp();
    await this.#recent();
  }

  // Takes one event of the stream.
  take({ event, data }) {
    switch (event) {
      case "alert":
        // Shown before anything is asked for: an alert carries all that is known of it.
        this.#set("alerts", inOrder(this.#with(this.alerts, "alert_id", data, data.open)));
        return;
      case "message":
      case "delivery":
        this.#wanted.add(data.hash);
        break;
      case "conflict":
      case "conflict_ended":
        this.#stale.add("conflicts");
        break;
      case "declaration":
        this.#set("declarations", this.declarations.filter((each) => each.declaration_id !== data.declaration_id || each.party !== data.party));
        break;
      case "held":
        this.#stale.add("held");
        break;
      case "watch":
        this.#stale.add("watch");
        break;
      case "drill":
      case "line":
      case "path":
      case "terms":
        this.#stale.add("lines");
        break;
      default:
        return; // of no screen
    }
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null;
      this.#reading = this.#reading.then(() => this.#readUp()).catch(this.#onProblem);
    }, GATHER_MS);
  }

  line(id) {
    return this.lines.find((each) => each.line_id === id) ?? null;
  }

  #with(list, key, item, stays) {
    const at = list.findIndex((each) => each[key] === item[key]);
    if (!stays) return at < 0 ? list : list.toSpliced(at, 1);
    return at < 0 ? [...list, item] : list.with(at, item);
  }

  #set(topic, value) {
    if (this[topic] === value) return;
    this[topic] = value;
    this.#tell(topic);
  }

  #tell(topic) {
    for (const draw of this.#listeners.get(topic)) draw();
  }

  async #readUp() {
    const stale = this.#stale;
    const wanted = [...this.#wanted];
    [this.#stale, this.#wanted] = [new Set(), new Set()];
    if (wanted.length) stale.add("lines");
    const read = (topic, path, id) => stale.has(topic) && get(path).then((found) => this.#set(topic, same(this[topic], found, id)));
    await Promise.all([
      read("lines", "/lines", "line_id"),
      read("conflicts", "/conflicts", "conflict_id"),
      read("declarations", "/declarations", "declaration_id"),
      read("held", "/held", "held_id"),
      stale.has("alerts") && get("/alerts").then((found) => this.#set("alerts", inOrder(same(this.alerts, found, "alert_id")))),
      this.#readMessages(wanted),
    ]);
    if (stale.has("watch")) this.#tell("watch");
  }

  async #readMessages(hashes) {
    if (!hashes.length) return;
    const found = await Promise.all(hashes.map((hash) => get(`/messages/${hash}`)));
    this.#keep(found);
    if (found.some(({ kind }) => DECLARING.has(kind))) {
      this.#set("declarations", same(this.declarations, await get("/declarations"), "declaration_id"));
    }
  }

  async #recent() {
    const pages = await Promise.all(this.lines.flatMap((line) => [["out", line.own_seq], ["in", line.peer_seq]].map(([direction, last]) =>
      get(`/lines/${line.line_id}/messages?direction=${direction}&after_seq=${Math.max(0, last - KEPT)}`))));
    this.#keep(pages.flat());
  }

  #keep(found) {
    const messages = new Map(this.messages);
    for (const each of found) messages.set(each.hash, each);
    this.#set("messages", messages);
  }
}

const DECLARING = new Set(["NOTIFY", "UPDATE", "CORRECTION", "CANCEL", "READBACK", "LOADED"]);
const URGENCY = ["FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE"];

// The most urgent first; of those the one that has climbed highest, then the oldest.
function inOrder(alerts) {
  const rank = (alert) => URGENCY.indexOf(alert.urgency);
  return alerts.toSorted((one, other) => rank(one) - rank(other) || other.level - one.level || (one.raised_utc < other.raised_utc ? -1 : 1));
}

// Keeps the objects that say the same as before, so that only what changed is drawn anew.
function same(before, found, id) {
  const known = new Map(before.map((each) => [each[id], each]));
  const kept = found.map((each) => {
    const old = known.get(each[id]);
    return old && JSON.stringify(old) === JSON.stringify(each) ? old : each;
  });
  return kept.length === before.length && kept.every((each, at) => each === before[at]) ? before : kept;
}
