// Protected sites that this party holds, whom it answers about them, and how much was asked: never
// what. And asking about those of a peer.

import { figures, iso, now, utc } from "../shell/clock.js";
import { ask } from "../shell/ask.js";
import { h } from "../shell/dom.js";
import { call, get, may, post } from "../shell/node.js";
import { named, quoted, t } from "../shell/words.js";

const SHOWN = 100;
const DAY_MS = 86_400_000;
const E7 = 1e7;
const ASKED = { points: 1024, bucket: 65536, label: 64 };
// What may be asked where nobody said otherwise.
const CAPS = { points_a_query: 1024, queries_a_day: 4, share_per_mille: 100, share_all_per_mille: 200 };

const nameOf = ({ label }) => (label ? quoted(label) : t("sites.unnamed"));
const counts = (names) => Object.fromEntries(names.map((name) => [name, "count"]));
const called = (names) => Object.fromEntries(names.map((name) => [name, t(`sites.${name}`)]));

// The list of this party; look() reads it again.
export function sitesPart(desk) {
  const { frame } = desk;
  const box = h("div", { class: "stack" });
  const status = h("p", { role: "status" });
  let shown = "";
  const node = h("section", { "aria-labelledby": "h-sites" }, h("h2", { id: "h-sites" }, t("sites.title")), h("p", { class: "soft" }, t("sites.about")), status, box);
  return { node, look };

  async function look() {
    if (may("declare_site")) show(await get("/private/sites"));
    else box.replaceChildren(h("p", { class: "soft" }, t("sites.not_yours")));
  }

  function changed(held) {
    show(held);
    status.textContent = t("sites.changed");
  }

  function show(held) {
    const says = JSON.stringify(held);
    if (says === shown) return; // so that focus and the reader's ear rest
    shown = says;
    const none = held.set_utc === null;
    box.replaceChildren(h("div", { class: "stack" },
      h("p", { class: none ? "permission" : null }, none ? t("sites.none") : t("sites.held", { sites: held.sites.length, decoys: held.decoys, since: utc(held.set_utc) })),
      !none && table("sites.title", ["told", "place", "radius"], held.sites.slice(0, SHOWN).map((site) => siteRow(held, site))),
      held.sites.length > SHOWN && h("p", { class: "soft" }, t("sites.more", { count: held.sites.length - SHOWN })),
      !none && h("p", {}, t("sites.caps", { points: held.points_a_query, queries: held.queries_a_day, share: held.share_per_mille, all: held.share_all_per_mille })),
      h("div", { class: "row" },
        h("button", { type: "button", onclick: () => add(held) }, t("sites.add")),
        !none && h("button", { type: "button", onclick: () => limits(held) }, t("sites.limits")),
        !none && h("button", { type: "button", onclick: () => clear() }, t("sites.clear"))),
      h("h3", {}, t("sites.answered")),
      table("sites.answered", ["peer", "consent", "asked"], held.consents.map((each) => consentRow(each, none)))));
  }

  function table(label, columns, rows) {
    return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t(label) }, h("table", {},
      h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, t(`sites.${name}`))), h("td"))), h("tbody", {}, rows)));
  }

  function siteRow(held, site) {
    return h("tr", {},
      h("th", { scope: "row", dir: "auto" }, site.label || t("sites.unnamed")),
      h("td", { class: "figure" }, figures(`${(site.lat_e7 / E7).toFixed(5)}, ${(site.lon_e7 / E7).toFixed(5)}`)),
      h("td", { class: "stamp" }, figures(`${Math.ceil(site.radius_mm / 1000)} m`)),
      h("td", {}, h("button", { type: "button", "aria-label": t("sites.remove_one", { site: nameOf(site) }), onclick: () => remove(held, site) }, t("private.remove"))));
  }

  function consentRow(given, none) {
    return h("tr", {},
      h("th", { scope: "row", class: "stamp" }, given.peer),
      h("td", {}, h("strong", {}, named("site_consent", given.state)), given.until_utc && h("div", { class: "stamp" }, utc(given.until_utc))),
      h("td", {}, given.asked_ever ? [h("div", {}, t("sites.asked_squares", { squares: given.asked_ever })), h("div", {}, t("sites.asked_queries", { queries: given.asked_today, day: figures(given.asked_day) }))] : t("sites.asked_nothing")),
      h("td", {}, h("div", { class: "row" },
        !none && h("button", { type: "button", onclick: () => consent(given) }, t("sites.give")),
        given.state === "STANDS" && h("button", { type: "button", onclick: () => withdraw(given) }, t("sites.withdraw")))));
  }

  function set(held, other) {
    const caps = Object.fromEntries(Object.keys(CAPS).map((name) => [name, held[name] ?? CAPS[name]]));
    return call("PUT", "/private/sites", { sites: held.sites, decoys: held.decoys, ...caps, ...other });
  }

  function add(held) {
    ask({ title: t("sites.add"), wanted: { told: "text?", place: "position", radius: "distance" }, labels: called(["told", "place", "radius"]),
      sure: ({ told, radius }) => t("sites.add_sure", { site: nameOf({ label: told }), metres: Math.ceil(radius / 1000) }), final: t("sites.nothing_sent"), verb: t("sites.add_it"),
      send: async ({ told, place, radius }) => changed(await set(held, { sites: [...held.sites, { label: told ?? "", ...place, radius_mm: radius }] })) });
  }

  function remove(held, site) {
    const others = held.sites.filter((each) => each !== site);
    // An empty list would answer everybody that nothing is near: forget it instead.
    if (!others.length) return clear();
    ask({ title: t("private.remove"), subject: t("sites.remove_sure", { site: nameOf(site) }), verb: t("private.remove"), danger: true, send: async () => changed(await set(held, { sites: others })) });
  }

  function limits(held) {
    const names = ["decoys", ...Object.keys(CAPS)];
    ask({ title: t("sites.limits"), wanted: counts(names), labels: called(names), hints: Object.fromEntries(names.map((name) => [name, String(held[name])])), verb: t("sites.set_limits"), send: async (values) => changed(await set(held, values)) });
  }

  function clear() {
    ask({ title: t("sites.clear"), subject: t("sites.clear_sure"), verb: t("sites.clear"), danger: true, send: async () => changed(await call("DELETE", "/private/sites")) });
  }

  function consent(given) {
    ask({ title: t("sites.give"), wanted: { until: "time" }, labels: { until: t("sites.until") }, hints: { until: `${iso(now() + DAY_MS).slice(0, 16)}Z` },
      sure: ({ until }) => t("sites.give_sure", { peer: given.peer, until: utc(until) }), final: t("sites.nothing_sent"), verb: t("sites.give_it"),
      send: async ({ until }) => changed(await call("PUT", `/private/sites/consent/${given.line_id}`, { until_utc: until })) });
  }

  function withdraw(given) {
    ask({ title: t("sites.withdraw"), subject: t("sites.withdraw_sure", { peer: given.peer }), verb: t("sites.withdraw"), danger: true,
      send: async () => changed(await call("DELETE", `/private/sites/consent/${given.line_id}`)) });
  }
}

// Asks whether the private plan of a line comes near protected sites of its peer.
export function askAboutSites({ line }, desk) {
  const names = Object.keys(ASKED);
  ask({ title: t("sites.ask", { peer: line.peer }), wanted: counts(names), labels: called(names), hints: Object.fromEntries(names.map((name) => [name, String(ASKED[name])])),
    sure: () => t("sites.ask_sure", { peer: line.peer }), verb: t("sites.ask_it"),
    send: (values) => post("/private/sites/propose", { line: line.line_id, ...values }).then(desk.said) });
}
