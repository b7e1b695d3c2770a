// What waits for a second person: read whole, released in two steps, or withdrawn. Who wrote it
// cannot release it, and a protected site is released with its place, read from one's own map.

import { utc } from "../shell/clock.js";
import { ask } from "../shell/ask.js";
import { h, Rows } from "../shell/dom.js";
import { may, post } from "../shell/node.js";
import { named, t } from "../shell/words.js";

const ENROLLING = new Set(["ACCOUNT", "ENABLE", "PASSWORD", "PEER"]);
const SHOWN = 20; // messages of one held matter that are drawn

export function heldList(desk) {
  const list = h("ul");
  const node = h("section", { "aria-labelledby": "h-held" }, h("h2", { id: "h-held" }, named("part", "HELD")), list);
  const rows = new Rows(list, (held) => held.held_id, (held) => draw(held, desk));
  return {
    node,
    show(held) {
      node.hidden = !held.length;
      rows.show(held);
    },
  };
}

function draw(held, { me, frame }) {
  const mine = held.written_by === me.account;
  const base = ENROLLING.has(held.what) ? "/enrolments" : "/held";
  const sites = held.messages.filter(({ body }) => body.declaration?.purpose === "PROTECTED_SITE");
  return h("li", { class: "alert PRIORITY", data: { key: held.held_id } },
    h("div", {}, h("p", { class: "urgency" }, held.what === "MESSAGES" ? "" : named("held", held.what)), h("p", { class: "soft figure" }, utc(held.written_utc)), h("p", {}, held.written_by)),
    h("div", { class: "words" },
      held.text && h("p", { class: "said", dir: "auto" }, held.text),
      held.messages.slice(0, SHOWN).map((message) => h("p", { class: "said", dir: "auto" }, `${message.drill ? `${t("drill.mark")} ` : ""}${message.peer}: ${message.text}`)),
      [...new Set(held.messages.flatMap(({ warnings }) => warnings))].map((text) => h("p", { class: "permission", dir: "auto" }, text)),
      held.messages.length > SHOWN && h("p", { class: "soft" }, t("held.more", { count: held.messages.length - SHOWN }))),
    h("div", { class: "row acts" },
      mine ? h("p", { class: "soft" }, t("held.own")) : h("button", { type: "button", class: "first", onclick: () => release() }, t("held.release")),
      (mine || may("read")) && h("button", { type: "button", onclick: frame.act(() => withdraw()) }, t("held.withdraw"))));

  function release() {
    const wanted = Object.fromEntries(sites.map((_, at) => [`site_${at + 1}`, "position"]));
    ask({ title: t("held.release"), subject: held.text || held.messages.map((message) => `${message.peer}: ${message.text}`).join("\n\n"),
      wanted, labels: Object.fromEntries(Object.keys(wanted).map((name, at) => [name, t("held.site", { number: at + 1 })])),
      sure: () => t("held.release_sure"), verb: t("held.release"),
      send: (places) => post(`${base}/${held.held_id}/release`, sites.length ? { places: Object.values(places) } : undefined) });
  }

  function withdraw() {
    ask({ title: t("held.withdraw"), sure: () => t("held.withdraw_sure"), verb: t("held.withdraw"), danger: true, send: () => post(`${base}/${held.held_id}/withdraw`) });
  }
}
