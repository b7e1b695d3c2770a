// What one run found, as far as it came: own sorties, times and places. Where the peer is, nobody
// here knows. Not checked is not clear, and no hit is no permission.

import { figures, local } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { may } from "../shell/node.js";
import { named, t } from "../shell/words.js";
import { bandOf } from "../map/things.js";
import { isOver, loudness, outcomeOf } from "./check.js";
import { planOf } from "./plan.js";
import { concern, concernDeclared, lookCloser } from "./say.js";
import { fromTo } from "./terms.js";

const SHOWN = 200;
const TMM = 10_000;

const SITES_SAY = { HIT: "sites.says_hit", NO_HIT: "sites.says_no_hit" };
const SAYS = { HIT: "private.says_hit", NO_HIT: "private.says_no_hit", NOT_CHECKED: "private.says_not_checked" };
const FALLEN = "FALLEN";

const saysOf = ({ protector, peer }, { outcome }) => t((protector && SITES_SAY[outcome]) || SAYS[outcome], { peer });

// Draws into a box; returns how it ends.
export function drawFinding(box, finding, document, desk) {
  const { check, run, hits } = finding;
  const looked = hits.some(({ fate }) => fate !== "NOT_LOOKED");
  const standing = hits.filter(({ fate }) => fate !== FALLEN);
  const fell = run.outcome === "HIT" && run.stands === "NO_HIT";
  let closed = false;
  let picture = null;
  const over = isOver(run); // until then hits come one after the other, and the map waits
  const picked = hits.slice(0, SHOWN).map((hit) => ({ hit, row: row(hit) }));
  const mapBox = h("div", { class: "picture" });
  box.replaceChildren(h("section", { "aria-labelledby": "h-finding", "aria-live": "polite" },
    h("h2", { id: "h-finding" }, t("private.finding", { run: run.run, peer: check.peer })),
    h("div", { class: "stack" },
      h("div", { class: `alert ${loudness(run)}` }, h("p", { class: "urgency" }, outcomeOf(run)),
        h("div", { class: "words" }, h("p", { class: "said", dir: "auto" }, run.text), SAYS[run.stands] && !(check.mediator && run.stands === "HIT") && h("p", { class: "permission" }, fell ? t("private.says_fallen", { peer: check.peer }) : saysOf(check, { outcome: run.stands })),
          !over && h("p", { class: "permission" }, t("private.says_more")),
          run.outcome === "HIT" && run.reason && h("p", { class: "permission" }, t("private.says_not_checked")))),
      ...finding.at_sites.map(({ text }) => h("p", { dir: "auto" }, text)),
      hits.length > 0 && h("p", {}, t("private.own_cells", { peer: check.peer })),
      hits.length > 0 && h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("private.hit_table") }, h("table", {},
        h("thead", {}, h("tr", {}, ["sortie", "when", "where", "height", ...(looked ? ["fate"] : [])].map((name) => h("th", { scope: "col" }, t(`private.${name}`))))),
        h("tbody", {}, picked.map(({ row: node }) => node)))),
      hits.length > SHOWN && h("p", { class: "soft" }, t("private.more_hits", { count: hits.length - SHOWN })),
      standing.length > 0 && over && mapBox,
      finding.looks.length > 0 && h("div", {}, h("h3", {}, t("private.looks")), h("ul", {}, finding.looks.map(look))),
      hits.length > 0 && h("div", { class: "row" }, ...acts()))));
  if (standing.length && over) {
    import("./map.js").then(async ({ openHitMap }) => {
      const plan = may("declare") ? (await planOf(check.line_id)).sorties : [];
      if (closed) return;
      picture = await openHitMap(mapBox, standing.slice(0, SHOWN), plan, { party: desk.about.party, account: desk.me.account, pick: select });
      if (closed) picture?.end();
      else if (!picture) mapBox.replaceChildren(h("p", { class: "soft" }, t("map.no_picture")));
    }).catch(desk.frame.problem);
  }
  return () => {
    closed = true;
    picture?.end();
  };

  function row(hit) {
    return h("tr", { class: hit.fate === FALLEN ? "soft" : null },
      h("th", { scope: "row", dir: "auto" }, hit.sortie),
      h("td", { class: "figure" }, fromTo(hit.start_utc, hit.end_utc), h("br"), h("small", {}, `${local(hit.start_utc)} – ${local(hit.end_utc)}`)),
      h("td", {}, ["decimal", "dms", "mgrs"].map((notation) => h("div", { class: "figure" }, figures(hit.place[notation]))), h("small", {}, t("private.cell_wide", { km: figures(String(hit.side_mm / 1e6)) })),
        over && hit.fate !== FALLEN && h("div", {}, h("button", { type: "button", onclick: () => select(hit) }, t("private.on_map")))),
      h("td", { class: "figure" }, bandOf({ low: hit.lower_tmm / TMM, high: hit.upper_tmm / TMM, reference: hit.reference }, { whole: true })),
      looked && h("td", { class: hit.fate === FALLEN ? null : "permission" }, named("private_fate", hit.fate)));
  }

  // A closer look, of either side: one of the peer's that waits is answered there.
  function look({ proposal, own, parts, state, outcome }) {
    return h("li", {}, h("a", { href: `#private/${proposal}` }, t("private.look_of", { party: own ? desk.about.party : check.peer, parts })), ": ",
      outcome ? named("private_outcome", outcome) : state === "PROPOSED" ? t(own ? "private.waits_for" : "private.waits_for_us", { peer: check.peer }) : named("private_state", state));
  }

  function select(hit) {
    for (const each of picked) {
      if (each.hit === hit) each.row.setAttribute("aria-current", "true");
      else each.row.removeAttribute("aria-current");
    }
    picture?.select(hit);
  }

  function acts() {
    const closer = over && may("terms") && document ? finding.refinements.map((option) => h("button", { type: "button", disabled: !finding.runs_left, onclick: () => lookCloser(finding, option, document, desk) }, t("private.closer", { parts: option.parts }))) : [];
    const raise = standing.length > 0 && may("send") && [
      h("button", { type: "button", class: "first", onclick: desk.frame.act(() => concern(finding, desk)) }, t("act.concern")),
      h("button", { type: "button", onclick: desk.frame.act(() => concernDeclared(check, desk)) }, t("private.concern_declared"))];
    return [...(raise || []), ...closer, h("small", {}, t("private.left", { count: finding.runs_left })), h("a", { href: `#thread/${check.line_id}/${check.proposal}` }, t("act.open")), h("a", { href: "#talks" }, t("private.to_talks"))];
  }
}
