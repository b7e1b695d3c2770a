// A conflict in plain words: who, where, when, how close, which minimum, since when known, what each
// side has said. One slider of time moves map, profile and messages.

import { figures, iso, local, now, span, utc, whileShown } from "../shell/clock.js";
import { h, Rows, s } from "../shell/dom.js";
import { may } from "../shell/node.js";
import { named, quoted, t } from "../shell/words.js";
import { ask } from "../shell/ask.js";
import { raiseConcern } from "./concern.js";
import { drawProfile } from "./profile.js";
import { partsOf } from "./scene.js";
import { waysOut } from "./ways.js";

export function open(main, desk) {
  const { world, path } = desk;
  let close = () => {};
  let shown = null;
  const list = h("ul");
  const card = h("div");
  const rows = new Rows(list, (each) => each.conflict_id, (each) => h("li", { class: `alert ${each.verdict === "CONFLICT" ? "IMMEDIATE" : "PRIORITY"}`, data: { key: each.conflict_id } },
    h("p", { class: "urgency" }, named("verdict", each.verdict)),
    h("div", { class: "words" }, h("p", { class: "said", dir: "auto" }, each.text), h("p", {}, h("a", { href: `#conflicts/${each.conflict_id}` }, t("act.see_conflict"))))));
  main.replaceChildren(h("div", { class: "stack" }, card, h("section", { "aria-labelledby": "h-conflicts" }, h("h2", { id: "h-conflicts" }, t("screen.conflicts")), list)));
  const end = world.on(["conflicts", "declarations"], () => {
    rows.show(world.conflicts);
    if (!world.conflicts.length) list.replaceChildren(h("li", { class: "soft" }, t(world.knows("conflicts") ? "watch.no_conflicts" : "watch.reading")));
    const wanted = world.conflicts.find((each) => each.conflict_id === path[0]) ?? (path[0] ? null : world.conflicts[0]) ?? null;
    if (path[0] && !wanted && world.knows("conflicts")) {
      close();
      shown = null;
      card.replaceChildren(h("section", {}, h("p", { role: "status" }, t("card.ended"))));
    } else if (wanted && wanted !== shown && world.knows("declarations")) {
      close();
      shown = wanted;
      close = drawCard(card, wanted, desk);
    }
  });
  return () => {
    end();
    close();
  };
}

function drawCard(box, conflict, desk) {
  const { world, frame } = desk;
  let closed = false;
  const sides = ["first", "second"].map((which) => {
    const declaration = world.declarations.find((each) => each.declaration_id === conflict[`${which}_declaration`] && each.party === conflict[`${which}_party`]);
    return { party: conflict[`${which}_party`], purpose: conflict[`${which}_purpose`], own: declaration?.own ?? false, declaration, parts: declaration ? partsOf(declaration) : [], place: conflict[`place_${which}`] };
  });
  const svg = s("svg", { role: "img", "aria-label": t("card.profile_label", { first: sides[0].party, second: sides[1].party }) });
  const mapBox = h("div", { class: "picture" });
  const time = h("output", { class: "figure" });
  const slider = h("input", { type: "range", "aria-label": t("card.time"), step: "1000" });
  const said = h("ul", { class: "stack" });
  const saidLater = h("p", { class: "soft", role: "status" });
  const fact = (name, ...value) => [h("dt", {}, t(`card.${name}`)), h("dd", {}, ...value)];
  box.replaceChildren(h("section", { "aria-labelledby": "h-card" },
    h("h2", { id: "h-card" }, `${conflict.drill ? `${t("drill.mark")} ` : ""}${named("verdict", conflict.verdict)}: ${sides[0].party} · ${sides[1].party}`),
    h("div", { class: "two" },
      h("div", { class: "stack" },
        h("p", { class: "said", dir: "auto" }, conflict.text),
        h("dl", { class: "facts" },
          fact("who", sides.map((side) => h("div", { class: side.own ? "own" : "peer" }, `${side.party} · ${named("purpose", side.purpose)}${side.declaration?.label ? ` ${quoted(side.declaration.label)}` : ""}`))),
          fact("when", h("span", { class: "figure" }, `${utc(conflict.start_utc)} – ${utc(conflict.end_utc)}`), h("small", {}, ` ${local(conflict.start_utc)} – ${local(conflict.end_utc)}`), " ", begins(conflict)),
          fact("nearest", h("span", { class: "figure" }, utc(conflict.cpa_utc)), " ", howClose(conflict)),
          fact("minimum", t("card.minimum_of", { lateral: distance(conflict.minimum_lateral_m), vertical: height(conflict.minimum_vertical_m) })),
          sides.filter((side) => side.place).flatMap((side) => fact("where", h("div", {}, side.party), ["decimal", "dms", "mgrs"].map((notation) => h("div", { class: "figure" }, figures(side.place[notation]))), side.place.from_landmark && h("div", { dir: "auto" }, figures(side.place.from_landmark)))),
          fact("known", h("span", { class: "figure" }, utc(conflict.known_since_utc))),
          fact("unanswered", conflict.unanswered.length ? t("card.unanswered_count", { count: conflict.unanswered.length }) : t("card.nothing_unanswered"))),
        h("p", { class: "permission" }, t("watch.permission")),
        may("send") && h("div", { class: "row" }, h("button", { type: "button", class: "first", onclick: frame.act(() => concern(conflict, sides, desk)) }, t("act.concern")), h("a", { href: `#thread/${conflict.line_id}` }, t("act.open_line"))),
        waysOut(conflict, sides, desk, { distance, height }),
        h("h3", {}, t("card.said")), said, saidLater),
      h("div", { class: "stack" }, mapBox, h("figure", { class: "profile" }, svg), h("div", { class: "row" }, time), slider))));

  const profile = drawProfile(svg, sides, conflict);
  slider.min = profile.from;
  slider.max = profile.to;
  slider.value = Date.parse(conflict.cpa_utc);
  let map = null;
  const show = () => {
    const at = Number(slider.value);
    const when = iso(at);
    const gap = Math.round((at - Date.parse(conflict.cpa_utc)) / 1000) * 1000;
    time.textContent = `${utc(when)} · ${local(when)}${gap ? ` · ${t(gap < 0 ? "card.before" : "card.after", { span: span(gap) })}` : ` · ${t("card.nearest")}`}`;
    slider.setAttribute("aria-valuetext", utc(when));
    profile.show(at);
    map?.show(at);
    saidBy(when);
  };
  slider.addEventListener("input", show);
  show();
  const endMessages = world.on(["messages"], () => {
    const names = new Set(sides.flatMap((side) => [side.declaration?.declaration_id, ...(side.declaration?.message_hashes ?? [])]).filter(Boolean));
    const about = [...world.messages.values()].filter((message) => message.line_id === conflict.line_id && (names.has(message.hash) || names.has(message.ref) || [message.body.first, message.body.second, message.body.declaration_id].some((id) => names.has(id))));
    said.replaceChildren(...about.sort((one, other) => (one.created_utc < other.created_utc ? -1 : 1)).map((message) => h("li", { data: { at: message.created_utc } },
      h("small", { class: "figure" }, `${utc(message.created_utc)} `), h("span", { class: message.outgoing ? "own" : "peer" }, `${message.from_party}: `), h("span", { dir: "auto" }, message.text.slice(0, 240)), " ", h("small", {}, named("delivery", message.state)))));
    saidBy(iso(Number(slider.value)));
  });
  import("./map.js").then(async ({ openCardMap }) => {
    if (closed) return;
    map = await openCardMap(mapBox, sides, conflict, desk.me.account);
    if (closed) return map?.end();
    show();
  }).catch(frame.problem);
  return () => {
    closed = true;
    endMessages();
    map?.end();
  };

  // What had been said by the time shown, and how much of all that is.
  function saidBy(when) {
    for (const item of said.children) item.hidden = item.dataset.at > when;
    const later = said.querySelectorAll("li[hidden]").length;
    saidLater.textContent = later ? t("card.said_later", { count: later, at: utc(when) }) : "";
  }

  function begins(one) {
    const node = h("strong");
    whileShown(node, () => {
      const left = Date.parse(one.start_utc) - now();
      node.textContent = left > 0 ? t("card.begins_in", { span: span(left) }) : Date.parse(one.end_utc) > now() ? t("card.under_way") : t("card.past");
    });
    return node;
  }
}

function concern(conflict, sides, { world }) {
  const [first, second] = sides.map((side) => side.declaration);
  ask({ title: t("act.concern"), subject: conflict.text, verb: t("ask.send"), sure: () => t("ask.concern_sure", { peer: world.line(conflict.line_id)?.peer ?? "" }),
    send: () => raiseConcern(conflict.line_id, first, second) });
}

const howClose = (conflict) => conflict.cpa_distance_m === null ? t("card.not_comparable")
  : h("strong", { class: "figure" }, `${distance(conflict.cpa_distance_m)} · ${height(conflict.cpa_vertical_m)}`);

// How near something came is rounded down, never up.
const down = (value, digits) => (Math.floor(value * 10 ** digits + 1e-6) / 10 ** digits).toFixed(digits);
const distance = (metres) => figures(metres < 1000 ? `${down(metres, 1)} m` : `${down(metres / 1852, 2)} NM (${down(metres / 1000, 2)} km)`);
const height = (metres) => figures(`${down(Math.abs(metres) / 0.3048, 0)} ft (${down(Math.abs(metres), 1)} m)`);
