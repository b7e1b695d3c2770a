// What the node knows, kept true by its stream of events. Every value is replaced when it changes,
// never changed, so whoever draws sees by identity what is new.

import { get, NoAnswer } from "./node.js";

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
const FIRST = ["lines", "alerts"]; // what a watch is shown before all else,
const FIRST_ALERTS = 200; // and of thousands of alerts the first ones alone; the rest follows
const AGAIN_MS = 2_000;
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
  #known = new Set(); // lists that have been read: an empty one says nothing before
  #unread = { all: 0, urgent: 0 }; // open alerts that are not in the list yet
  #alerted = new Map(); // what the stream said of alerts since the last frame
  #reading = 0; // answers with alerts that are under way,
  #meanwhile = new Map(); // and what the stream said of alerts since the first of them was asked for
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

  // Reads what a watch is shown first; rest() has to follow.
  async first() {
    await Promise.all([this.#read("lines"), this.#readFirstAlerts()]);
  }

  // Reads the rest, also of the alerts, until it is there.
  rest() {
    this.#whole();
    this.#readRest();
  }

  // Reads everything anew; resolves when what comes first is there.
  async load() {
    await Promise.all(FIRST.map((list) => this.#read(list)));
    this.#readRest();
  }

  // True exactly when a list has been read: an empty one then means that there is nothing.
  knows(list) {
    return this.#known.has(list);
  }

  // How many open alerts there are, and how many of them are urgent: those not read yet too.
  get openAlerts() {
    return { all: this.alerts.length + this.#unread.all, urgent: this.alerts.filter(isUrgent).length + this.#unread.urgent };
  }

  #readRest() {
    for (const list of Object.keys(LISTS)) if (!FIRST.includes(list)) this.#read(list).catch(this.#orAgain(list));
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
      if (this.#reading) this.#meanwhile.set(data.alert_id, data);
      if (data.rule === "LINE_SUSPENDED") this.#soon("lines"); // a time came: no message says so
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
    const alerts = this.#withNews(this.alerts, this.#alerted);
    this.#alerted.clear();
    this.#set("alerts", inOrder(alerts));
  }

  // A list of alerts with what the stream said of them since; what was not in the list yet, and is
  // not new, is in it now, or over.
  #withNews(list, news) {
    const alerts = new Map(list.map((each) => [each.alert_id, each]));
    for (const [id, alert] of news) {
      if (!alerts.has(id) && !(alert.open && alert.raised_utc === alert.updated_utc)) {
        this.#unread.all = Math.max(0, this.#unread.all - 1);
        if (isUrgent(alert)) this.#unread.urgent = Math.max(0, this.#unread.urgent - 1);
      }
      if (alert.open) alerts.set(id, alert);
      else alerts.delete(id);
    }
    return [...alerts.values()];
  }

  // Reads a list up in a moment: a long one, that takes a while, not at every event.
  #soon(list) {
    if (this.#stale.has(list)) return;
    const wait = Math.max(LEAST_MS, SHARE * (this.#tookMs[list] ?? 0));
    this.#stale.set(list, setTimeout(() => {
      this.#stale.delete(list); // what happens from here on is read up for again
      (list === "messages" ? this.#readWanted() : this.#read(list)).catch(this.#orAgain(list));
    }, wait));
  }

  // A node that is not reached is asked again: the stream may have outlived what broke the question.
  #orAgain = (list) => (error) => {
    if (error instanceof NoAnswer) setTimeout(() => this.#soon(list), AGAIN_MS);
    else this.#onProblem(error);
  };

  async #read(list) {
    const [path, id] = LISTS[list];
    const begun = performance.now();
    const turn = (this.#turns[list] = (this.#turns[list] ?? 0) + 1);
    const answer = list === "alerts" ? await this.#asked(path) : await get(path);
    if (turn !== this.#turns[list]) return; // a later question is under way
    const first = !this.#known.has(list);
    this.#known.add(list);
    if (list === "alerts") {
      this.#unread = { all: 0, urgent: 0 };
      this.#set(list, inOrder(same(this.alerts, this.#withNews(answer, this.#meanwhile), id)), first);
    } else this.#set(list, same(this[list], answer, id), first);
    this.#tookMs[list] = performance.now() - begun;
  }

  // Asks for alerts. What the stream says of them until the answer is here may be newer than it.
  async #asked(path) {
    if (!this.#reading) this.#meanwhile.clear();
    this.#reading += 1;
    try {
      return await get(path);
    } finally {
      this.#reading -= 1;
    }
  }

  async #readFirstAlerts() {
    const turn = (this.#turns.alerts = (this.#turns.alerts ?? 0) + 1);
    const { open, urgent, alerts } = await this.#asked(`/alerts/first?most=${FIRST_ALERTS}`);
    if (turn !== this.#turns.alerts) return;
    this.#unread = { all: open - alerts.length, urgent: urgent - alerts.filter(isUrgent).length };
    this.#set("alerts", inOrder(this.#withNews(alerts, this.#meanwhile)));
  }

  // All alerts: where there were no more than the first ones, they are here already.
  async #whole() {
    if (this.#known.has("alerts")) return;
    if (!this.#unread.all) return void this.#known.add("alerts");
    try {
      await this.#read("alerts");
    } catch (error) {
      this.#onProblem(error);
      setTimeout(() => this.#whole(), AGAIN_MS); // none may stay unread
    }
  }

  async #readWanted() {
    const hashes = [...this.#wanted].slice(0, KEPT);
    for (const hash of hashes) this.#wanted.delete(hash);
    try {
      this.#keep(await Promise.all(hashes.map((hash) => get(`/messages/${hash}`))));
    } catch (error) {
      if (error instanceof NoAnswer) for (const hash of hashes) this.#wanted?.add(hash);
      throw error;
    }
    if (this.#wanted?.size) setTimeout(() => this.#soon("messages"));
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

  // A message as the node answered it just now, to be shown at once.
  keep(message) {
    this.#keep([message]);
  }

  #keep(found) {
    const messages = new Map(this.messages);
    for (const each of found) messages.set(each.hash, each);
    this.#set("messages", messages);
  }

  #set(topic, value, first = false) {
    if (this[topic] === value && !first) return;
    this[topic] = value;
    this.#tell(topic);
  }

  #tell(topic) {
    for (const draw of this.#listeners.get(topic)) draw();
  }
}

const URGENCY = ["FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE"];
const DANGERS = new Set(["CONFLICT", "NOT_CHECKED", "PRIVATE_HIT", "PRIVATE_MEDIATED_HIT", "PRIVATE_NOT_CHECKED", "PRIVATE_SITE_HIT", "PRIVATE_SITES_NOT_CHECKED", "CEASE_RECEIVED", "SAFETY_RECEIVED"]);
const NEVER = "~"; // sorts behind every instant

export const isUrgent = ({ urgency }) => urgency === "FLASH" || urgency === "IMMEDIATE";

// As the node puts them (node/alerts.py): what is real before every exercise, the most urgent first,
// what has climbed highest, what endangers people, what is due soonest, what has stood longest.
function inOrder(alerts) {
  const rank = (alert) => URGENCY.indexOf(alert.urgency);
  const by = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
  const ordered = alerts.toSorted((one, other) => one.drill - other.drill || rank(one) - rank(other) || other.level - one.level
    || DANGERS.has(other.rule) - DANGERS.has(one.rule) || by(one.deadline_utc ?? NEVER, other.deadline_utc ?? NEVER) || by(one.raised_utc, other.raised_utc));
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
