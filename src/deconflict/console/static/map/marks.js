// What stands above the areas and ways at one time: symbols with who and how high, what is selected,
// and where plans come too close.

import { named, quoted, t } from "../shell/words.js";
import { trace } from "./overlay.js";
import { draw } from "./symbols.js";
import { altitude, bandOf } from "./things.js";

const MOST_LABELS = 90;
const FONT = "12px system-ui, 'Noto Sans', 'Noto Sans Arabic', sans-serif";
const LINE_PX = 15;
const WIDE_PX = 24;
const BESIDE_PX = 15; // from a symbol to what is written beside it
const REACH_PX = 16; // how far from a symbol a press may be
const FEW = 12; // of so few under way it is drawn of each how far around it may be
const EARTH_M = 40_075_017; // round the equator, WGS84: what the width of the map stands for
const widths = new Map();

// scene: { moving, flights, areas, findings, selected, at, choice, colours }. Returns what can be hit:
// [{ x, y, thing }].
export function paint(brush, view, scene) {
  const hits = [];
  const seen = ([x, y]) => x > -30 && y > -30 && x < view.width + 30 && y < view.height + 30;
  if (scene.selected) select(brush, view, scene.selected, scene.colours);
  for (const { thing, part } of scene.areas) {
    if (!(part.from <= scene.at && scene.at <= part.to)) continue;
    const [x, y] = view.point(part.middle);
    if (seen([x, y])) hits.push({ x, y, thing, heading: null, says: bandOf(part) });
  }
  const { moving } = scene;
  for (let slot = 0; slot < moving.count; slot += 1) {
    const [x, y] = [view.x(moving.x[slot]), view.y(moving.y[slot])];
    if (!seen([x, y])) continue;
    const thing = scene.flights[moving.under[slot]];
    hits.push({ x, y, thing, heading: moving.heading[slot], height: moving.height[slot] });
  }
  const symbol = ({ thing, x, y, heading }) => draw(brush, scene.choice, thing, x, y, heading, scene.colours);
  if (moving.count <= FEW) hits.forEach((hit) => reach(brush, view, hit, scene.colours));
  hits.forEach(symbol);
  const chosen = hits.find(({ thing }) => thing === scene.selected);
  for (const finding of scene.findings) {
    const at = mark(brush, view, finding, scene.colours, finding === scene.selected);
    if (at && seen(at)) hits.push({ x: at[0], y: at[1], thing: finding });
  }
  if (chosen) {
    around(brush, view, chosen, scene.colours);
    symbol(chosen);
  }
  label(brush, view, [...(chosen ? [chosen] : []), ...hits], scene.colours);
  return hits;
}

export function nearestHit(hits, x, y) {
  let [best, found] = [REACH_PX, null];
  for (const hit of hits) {
    const far = Math.hypot(hit.x - x, hit.y - y);
    if (far < best) [best, found] = [far, hit.thing];
  }
  return found;
}

// Where the two of a conflict are nearest: a cross in a ring at each, a line between them.
function mark(brush, view, finding, colours, strong) {
  const points = finding.places.map(view.point);
  if (!points.length) return null;
  brush.strokeStyle = colours.bad;
  brush.lineWidth = strong ? 4 : 2;
  brush.beginPath();
  points.forEach(([x, y], at) => (at ? brush.lineTo(x, y) : brush.moveTo(x, y)));
  for (const [x, y] of points) {
    brush.moveTo(x + 9, y);
    brush.arc(x, y, 9, 0, 7);
    brush.moveTo(x - 5, y - 5);
    brush.lineTo(x + 5, y + 5);
    brush.moveTo(x + 5, y - 5);
    brush.lineTo(x - 5, y + 5);
  }
  brush.stroke();
  return points[0];
}

function select(brush, view, thing, colours) {
  if (!thing.parts) return;
  brush.beginPath();
  for (const part of thing.parts) trace(brush, view, part.drawn);
  brush.strokeStyle = colours.ink;
  brush.lineWidth = 4;
  brush.setLineDash(thing.own ? [] : [12, 6]);
  brush.stroke();
  brush.setLineDash([]);
}

function around(brush, view, hit, colours) {
  brush.strokeStyle = colours.ink;
  brush.lineWidth = 1.5;
  brush.beginPath();
  brush.arc(hit.x, hit.y, 17, 0, 7);
  brush.stroke();
  reach(brush, view, hit, colours);
}

// How far around its place one may be, as declared: where that is more than its symbol.
function reach(brush, view, { thing, x, y }, colours) {
  if (!thing.aside) return;
  const radius = (thing.aside / (EARTH_M * Math.cos((view.latitude(y) * Math.PI) / 180))) * view.world;
  if (radius < 14) return;
  brush.strokeStyle = thing.own ? colours.own : colours.peer;
  brush.lineWidth = 1.5;
  brush.beginPath();
  brush.arc(x, y, radius, 0, 7);
  brush.stroke();
}

// Who, and how high, where there is room: the selected one first, then in their order.
function label(brush, view, hits, colours) {
  const taken = new Set();
  let written = 0;
  brush.font = FONT;
  brush.textBaseline = "middle";
  brush.textAlign = "left";
  brush.direction = document.documentElement.dir;
  for (const hit of hits) {
    if (written >= MOST_LABELS) return;
    if (!hit.thing.declaration || taken.has(cell(hit.x + BESIDE_PX, hit.y))) continue;
    const who = nameOf(hit.thing);
    const high = hit.says ?? altitude(hit.height, hit.thing.reference);
    const wide = Math.max(width(brush, who), width(brush, high));
    const left = hit.x + BESIDE_PX + wide > view.width ? hit.x - BESIDE_PX - wide : hit.x + BESIDE_PX;
    const top = hit.y - LINE_PX;
    const cells = [];
    for (let x = Math.min(left, hit.x); x <= left + wide + WIDE_PX; x += WIDE_PX) for (let y = top; y <= top + 2 * LINE_PX; y += LINE_PX) cells.push(cell(x, y));
    if (cells.some((each) => taken.has(each))) continue;
    cells.forEach((each) => taken.add(each));
    brush.fillStyle = colours.veil;
    brush.fillRect(left - 2, top, wide + 4, 2 * LINE_PX);
    brush.fillStyle = hit.thing.own ? colours.own : colours.peer;
    brush.fillText(who, left, top + LINE_PX / 2);
    brush.fillStyle = colours.ink;
    brush.fillText(high, left, top + LINE_PX * 1.5);
    written += 1;
  }
}

// The field of the picture in which a place lies: one name to a field.
const cell = (x, y) => Math.floor(x / WIDE_PX) * 4096 + Math.floor(y / LINE_PX);

// Own or which peer's, and what.
export const nameOf = (thing) => `${thing.own ? t("declared.own") : thing.declaration.party} · ${whatOf(thing)}`;

// What its author calls it, else its purpose and how the texts name it.
export function whatOf({ declaration: { drill, label, purpose, declaration_id: id } }) {
  return `${drill ? `${t("drill.mark")} ` : ""}${named("purpose", purpose)} ${label ? quoted(label) : id.slice(0, 8)}`;
}

function width(brush, text) {
  if (widths.size > 20_000) widths.clear();
  if (!widths.has(text)) widths.set(text, brush.measureText(text).width);
  return widths.get(text);
}

// A conflict as a thing on the map: where its two declarations are nearest.
export function findingOf(conflict) {
  const places = [conflict.place_first, conflict.place_second].filter(Boolean).map((place) => [place.lon_deg, place.lat_deg]);
  return { key: conflict.conflict_id, conflict, places, from: Date.parse(conflict.start_utc), to: Date.parse(conflict.end_utc) };
}
