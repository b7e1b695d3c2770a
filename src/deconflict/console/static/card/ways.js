// What change of the own plan would end a conflict: looked for by the node, told to its own planner
// alone. It is no instruction, and nothing of it is sent.

import { figures, iso, now, utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { may, post } from "../shell/node.js";
import { t } from "../shell/words.js";

// What was found stays while its card is drawn anew, as each answer does; not past a new revision.
const kept = new Map();
const KEPT = 20;

function placeOf(conflict, versions) {
  const known = kept.get(conflict.conflict_id);
  if (known && versions.every((version, at) => !version || !known.versions[at] || version === known.versions[at])) {
    known.versions = versions.map((version, at) => version ?? known.versions[at]); // not all are read at first
    return known.found;
  }
  const found = h("div", { class: "stack", "aria-live": "polite" });
  kept.set(conflict.conflict_id, { versions, found });
  if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  return found;
}

export function waysOut(conflict, sides, { frame }, { distance, height }) {
  if (!may("check")) return false;
  const found = placeOf(conflict, sides.map(({ declaration }) => declaration?.message_hashes.at(-1)));
  return h("div", { class: "stack" }, h("h3", {}, t("ways.title")),
    h("div", { class: "row" }, h("button", { type: "button", onclick: frame.act(look) }, t("ways.look")), h("small", {}, t("ways.nobody"))), found);

  async function look() {
    found.replaceChildren(h("p", { class: "soft" }, t("ways.looking")));
    try {
      found.replaceChildren(...told(await post(`/conflicts/${conflict.conflict_id}/ways-out`)));
    } catch (error) {
      found.replaceChildren();
      throw error;
    }
  }

  function told({ options, under_way: begun, looked_at: count, not_compared: refused, problem }) {
    const warned = refused > 0 && h("p", { class: "overdue" }, t("ways.not_compared", { count: refused }));
    if (problem) return [h("p", { class: "overdue" }, t("ways.failed", { problem }))];
    if (begun) return [h("p", {}, t("ways.under_way"))];
    if (!options.length) return [warned, h("p", {}, t("ways.none"))].filter(Boolean);
    return [
      warned,
      h("table", {}, h("thead", {}, h("tr", {}, ["change", "from", "to", "nearest"].map((name) => h("th", { scope: "col" }, t(`ways.${name}`))))),
        h("tbody", {}, options.map((option) => h("tr", {}, h("th", { scope: "row" }, change(option)),
          h("td", { class: "figure" }, utc(option.start_utc)), h("td", { class: "figure" }, utc(option.end_utc)), h("td", {}, nearest(option)))))),
      h("p", { class: "soft" }, t("ways.at", { at: utc(iso(now())) }), " ", t("ways.screened", { count })),
    ].filter(Boolean);
  }

  function change({ shift_s: shift, level_m: level, offset_m: offset }) {
    const minutes = figures(`${Math.floor(Math.abs(shift) / 60)}:${String(Math.round(Math.abs(shift) % 60)).padStart(2, "0")}`);
    return [
      shift && t(shift > 0 ? "ways.later" : "ways.earlier", { minutes }),
      level && t(level > 0 ? "ways.higher" : "ways.lower", { height: height(level) }),
      offset && t(offset > 0 ? "ways.right" : "ways.left", { distance: distance(Math.abs(offset)) }),
    ].filter(Boolean).join(", ");
  }

  function nearest(option) {
    if (option.nearest_party === null) return t("ways.nothing_near");
    return t("ways.near", { party: option.nearest_party, lateral: distance(option.nearest_lateral_m), vertical: option.nearest_vertical_m === null ? t("card.not_comparable") : height(option.nearest_vertical_m) });
  }
}
