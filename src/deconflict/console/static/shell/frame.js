// The frame of every screen: who and when, whether what is seen is live, where one can go.

import { figures, iso, local, now, utc, whileShown } from "./clock.js";
import { h } from "./dom.js";
import { languageChoice } from "./login.js";
import { logOut, may, NoAnswer, post } from "./node.js";
import { alarm, allowSound } from "./sound.js";
import { speak, t } from "./words.js";

// In the order of the keys Alt+1, Alt+2, … Alt+9, Alt+0, and those with a key of their own; each is
// loaded when it is first gone to.
const SCREENS = [
  { name: "watch", needs: "read", load: () => import("../watch/screen.js") },
  { name: "conflicts", needs: "read", load: () => import("../card/screen.js") },
  { name: "declare", needs: "check", load: () => import("../declare/screen.js") },
  { name: "thread", needs: "read", load: () => import("../thread/screen.js") },
  { name: "talks", needs: "read", load: () => import("../talks/screen.js") },
  { name: "incidents", needs: "read", load: () => import("../incidents/screen.js") },
  { name: "handover", needs: "read", load: () => import("../handover/screen.js") },
  { name: "record", needs: "read", load: () => import("../record/screen.js") },
  { name: "map", needs: "read", load: () => import("../map/screen.js") },
  { name: "account", needs: "view_node", load: () => import("../account/screen.js") },
  { name: "terms", needs: "read", key: "T", load: () => import("../terms/screen.js") },
  { name: "private", needs: "read", key: "P", load: () => import("../private/screen.js") },
];
const keyOf = (screen, at) => screen.key ?? String((at + 1) % 10);

const UNLOADED = "unloaded"; // how often in a row a screen's file did not come
const AGAIN_MS = 2_000;
const MOST_TRIES = 3;

export class Frame {
  world = null;
  #me; #about; #languages;
  #main = h("main", { id: "main", tabindex: "-1" });
  #problem = h("p", { id: "problem", role: "alert" });
  #live = h("p", { id: "live", role: "status" });
  #drill = h("p", { id: "drill", role: "status", hidden: true });
  #sound = h("button", { type: "button", hidden: true, onclick: () => this.#soundOn() });
  #leave = () => {}; // how the screen shown now ends
  #turn = 0;
  #state = "lost";
  #since = now();

  constructor(me, about, languages) {
    [this.#me, this.#about, this.#languages] = [me, about, languages];
    addEventListener("hashchange", () => this.#go());
    addEventListener("keydown", (event) => this.#key(event));
    this.#draw();
  }

  // A refusal or failure, in words; the next thing that works takes it away.
  problem = (error) => {
    this.#problem.textContent = error ? error.message : "";
    if (error && error.status === undefined && !(error instanceof NoAnswer)) console.error(error);
  };

  // Runs what a button does. While it runs the button does nothing, and nothing looks done that is not.
  act = (work) => async (event) => {
    event?.preventDefault();
    const button = event?.submitter ?? event?.currentTarget;
    if (button) button.disabled = true;
    try {
      await work(event);
      this.problem(null);
    } catch (error) {
      this.problem(error);
    } finally {
      if (button) button.disabled = false;
    }
  };

  live(state) {
    if (state !== this.#state) this.#since = now();
    this.#state = state;
    this.#showLive();
  }

  // Resolves when the first screen is there.
  show() {
    if (this.world) {
      this.world.on(["lines"], () => this.#showDrills());
      this.world.on(["alerts"], () => this.#count());
      let heard = new Set(this.world.alerts.map((alert) => alert.alert_id));
      this.world.on(["alerts"], () => {
        const fresh = this.world.alerts.filter((alert) => !heard.has(alert.alert_id));
        heard = new Set(this.world.alerts.map((alert) => alert.alert_id));
        if (fresh.length) this.#sound.hidden = alarm(fresh.map((alert) => alert.urgency));
      });
    }
    return this.#go();
  }

  #draw() {
    const clock = h("output", { id: "clock", class: "figure", "aria-label": t("frame.clock") });
    const here = h("small", { class: "figure" });
    whileShown(clock, () => {
      const at = iso(now());
      clock.textContent = figures(`${at.slice(0, 10)} ${at.slice(11, 19)}Z`);
      here.textContent = `${t("frame.local")} ${local(at)}`;
    });
    this.#sound.textContent = t("frame.sound_on");
    const theme = h("button", { type: "button", onclick: () => this.#theme(theme) });
    this.#nameTheme(theme);
    document.body.replaceChildren(
      h("a", { class: "skip", href: "#main", onclick: (event) => (event.preventDefault(), this.#main.focus()) }, t("frame.skip")),
      h("header", {},
        h("h1", {}, this.#about.party, " ", h("small", {}, t("frame.who", { desk: this.#me.desk, account: this.#me.account }))),
        this.#drill, h("p", {}, clock, " ", here), this.#live, this.#sound, theme,
        h("label", {}, h("span", { class: "visually-hidden" }, t("frame.language")), languageChoice(this.#languages, (wanted) => this.#speak(wanted).catch(this.problem))),
        h("button", { type: "button", onclick: () => this.#keys.showModal() }, t("frame.keys")),
        h("button", { type: "button", onclick: this.act(logOut) }, t("frame.log_out"))),
      h("nav", { "aria-label": t("frame.screens") }, h("ul", {}, this.#offered().map((screen, at) =>
        h("li", {}, h("a", { href: `#${screen.name}`, data: { screen: screen.name }, title: `Alt+${keyOf(screen, at)}` }, t(`screen.${screen.name}`)))))),
      this.#problem, this.#main, this.#keys);
    this.#keys.replaceChildren(
      h("h2", {}, t("frame.keys")),
      h("dl", { class: "facts" }, this.#offered().flatMap((screen, at) => [h("dt", {}, `Alt+${keyOf(screen, at)}`), h("dd", {}, t(`screen.${screen.name}`))]),
        h("dt", {}, "Alt+A"), h("dd", {}, t("keys.first_alert")), h("dt", {}, "Esc"), h("dd", {}, t("keys.escape"))),
      h("form", { method: "dialog" }, h("button", { class: "first" }, t("ask.close"))));
    this.#showLive();
  }

  #keys = h("dialog");

  #offered = () => SCREENS.filter((screen) => may(screen.needs));

  // A file of the console that did not come: the node went away. It comes with the page loaded anew.
  #unloaded(error, turn) {
    if (turn !== this.#turn) return;
    const tries = Number(sessionStorage.getItem(UNLOADED)) + 1;
    sessionStorage.setItem(UNLOADED, tries);
    if (tries > MOST_TRIES) return this.problem(error); // a defect, and stands there to be read
    console.warn(error);
    this.problem(new NoAnswer(true, error));
    setTimeout(() => turn === this.#turn && location.reload(), AGAIN_MS);
  }

  async #go() {
    const [name, ...rest] = location.hash.slice(1).split("/");
    const screen = this.#offered().find((each) => each.name === name) ?? this.#offered()[0];
    this.#leave();
    this.#leave = () => {};
    this.problem(null);
    this.#main.replaceChildren();
    if (!screen) return this.#main.replaceChildren(h("p", {}, t("frame.no_messages")));
    for (const link of document.querySelectorAll("nav a")) {
      if (link.dataset.screen === screen.name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    document.title = `${t(`screen.${screen.name}`)} · ${this.#about.party} · deconflict`;
    const turn = ++this.#turn;
    let loaded;
    try {
      loaded = await screen.load();
      sessionStorage.removeItem(UNLOADED);
    } catch (error) {
      return this.#unloaded(error, turn);
    }
    if (turn !== this.#turn) return; // somebody went on meanwhile
    try {
      this.#leave = loaded.open(this.#main, { world: this.world, frame: this, me: this.#me, about: this.#about, path: rest }) ?? (() => {});
    } catch (error) {
      this.problem(error);
    }
  }

  #key(event) {
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    // Digits by what they say, letters by where they lie: the keyboard may write another script.
    const pressed = /^[0-9]$/.test(event.key) ? event.key : event.code.replace("Key", "");
    const screen = this.#offered().find((each, at) => keyOf(each, at) === pressed);
    if (screen) {
      event.preventDefault();
      location.hash = screen.name;
    } else if (event.code === "KeyA") {
      event.preventDefault();
      if (!location.hash.startsWith("#watch")) location.hash = "watch";
      setTimeout(() => document.querySelector(".alert button, .alert summary")?.focus(), 50);
    }
  }

  async #speak(wanted) {
    await post("/me/language", { language: wanted }); // what the node says follows it
    await speak(wanted);
    localStorage.setItem("language", wanted);
    await this.world?.load();
    this.#draw();
    this.#count();
    this.#showDrills();
    this.#go();
  }

  #theme(button) {
    const wanted = document.documentElement.dataset.theme === "night" ? "day" : "night";
    document.documentElement.dataset.theme = wanted;
    localStorage.setItem("theme", wanted);
    this.#nameTheme(button);
  }

  #nameTheme(button) {
    button.textContent = t(document.documentElement.dataset.theme === "night" ? "frame.to_day" : "frame.to_night");
  }

  #soundOn() {
    allowSound();
    this.#sound.hidden = true;
  }

  #showLive() {
    this.#live.hidden = this.#state === "none";
    this.#live.textContent = this.#state === "live" ? t("frame.live") : t("frame.not_live", { since: utc(iso(this.#since)) });
    document.body.classList.toggle("stale", this.#state === "lost" || this.#state === "refused");
  }

  #count() {
    const link = document.querySelector('nav a[data-screen="watch"]');
    const urgent = this.world?.openAlerts.urgent ?? 0;
    link?.querySelector(".count")?.remove();
    if (urgent) link?.append(" ", h("span", { class: "count", "aria-label": t("frame.urgent", { count: urgent }) }, String(urgent)));
  }

  // While an exercise lasts every screen is framed, and says with whom and until when.
  #showDrills() {
    const lines = this.world?.lines ?? [];
    const own = lines.filter((line) => line.drill_until_utc).map((line) => t("drill.own", { peer: line.peer, until: utc(line.drill_until_utc) }));
    const theirs = lines.filter((line) => line.peer_drill_until_utc).map((line) => t("drill.peer", { peer: line.peer, until: utc(line.peer_drill_until_utc) }));
    this.#drill.textContent = [...own, ...theirs].join(" · ");
    this.#drill.hidden = !(own.length || theirs.length);
    document.body.classList.toggle("drill", own.length > 0);
  }
}
