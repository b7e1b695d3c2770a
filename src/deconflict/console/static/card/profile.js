// Altitude against time: what each side has declared, where it comes too close, where nearest.

import { iso, utcShort } from "../shell/clock.js";
import { s } from "../shell/dom.js";
import { t } from "../shell/words.js";

const SIZE = { width: 640, height: 300, left: 64, right: 14, top: 14, bottom: 34 };
const FOOT_M = 0.3048;
const OPEN_M = 18_000; // an open top is drawn up to here at least

// Draws into svg; returns show(ms), which moves the line of the time shown.
export function drawProfile(svg, sides, conflict) {
  const parts = sides.flatMap((side) => side.parts);
  const [start, end] = [Date.parse(conflict.start_utc), Date.parse(conflict.end_utc)];
  const from = Math.min(...parts.map((part) => part.from), start);
  const to = Math.max(...parts.map((part) => part.to), end);
  const tops = parts.flatMap((part) => part.high.filter((each) => each !== null));
  const top = Math.max(...tops, parts.some((part) => part.high[0] === null) && !tops.length ? OPEN_M : 0) * 1.12 || 1_000;
  const low = Math.min(0, ...parts.flatMap((part) => part.low));
  const x = (at) => SIZE.left + ((at - from) / Math.max(to - from, 1)) * (SIZE.width - SIZE.left - SIZE.right);
  const y = (height) => SIZE.height - SIZE.bottom - ((Math.min(height ?? top, top) - low) / (top - low)) * (SIZE.height - SIZE.top - SIZE.bottom);

  svg.setAttribute("viewBox", `0 0 ${SIZE.width} ${SIZE.height}`);
  svg.replaceChildren(
    ...heights(low, top).map((feet) => s("g", {},
      s("line", { class: "axis", x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: y(feet * FOOT_M), y2: y(feet * FOOT_M) }),
      words(SIZE.left - 6, y(feet * FOOT_M) + 4, `${feet} ft`, "end"))),
    ...times(from, to).map((at) => s("g", {},
      s("line", { class: "axis", x1: x(at), x2: x(at), y1: SIZE.height - SIZE.bottom, y2: SIZE.height - SIZE.bottom + 5 }),
      words(x(at), SIZE.height - SIZE.bottom + 18, utcShort(iso(at)), "middle"))),
    s("rect", { class: "clash", x: x(start), width: Math.max(x(end) - x(start), 2), y: SIZE.top, height: SIZE.height - SIZE.top - SIZE.bottom }),
    ...sides.flatMap((side) => side.parts.map((part) => s("path", { class: `band ${side.own ? "own" : "peer"}`,
      d: `M${x(part.from)},${y(part.low[0])}L${x(part.to)},${y(part.low[1])}L${x(part.to)},${y(part.high[1])}L${x(part.from)},${y(part.high[0])}Z` },
      title(`${side.party}: ${t(side.own ? "card.own_plan" : "card.peer_plan")}`)))));
  const nearest = Date.parse(conflict.cpa_utc);
  svg.append(s("path", { class: "nearest", d: `M${x(nearest)},${SIZE.top}V${SIZE.height - SIZE.bottom}` }, title(t("card.nearest"))));
  const line = s("line", { class: "now", y1: SIZE.top, y2: SIZE.height - SIZE.bottom });
  svg.append(line);
  return {
    from, to,
    show(at) {
      line.setAttribute("x1", x(at));
      line.setAttribute("x2", x(at));
    },
  };
}

function words(x, y, text, anchor) {
  const node = s("text", { x, y, "text-anchor": anchor });
  node.textContent = text;
  return node;
}

function title(text) {
  const node = s("title");
  node.textContent = text;
  return node;
}

function heights(low, top) {
  const feet = (top - low) / FOOT_M;
  const step = [500, 1_000, 2_000, 5_000, 10_000, 20_000].find((each) => feet / each <= 7) ?? 50_000;
  return Array.from({ length: Math.floor(top / FOOT_M / step) + 1 }, (_, at) => at * step);
}

function times(from, to) {
  const MINUTE = 60_000;
  const step = [1, 5, 10, 15, 30, 60, 120, 360, 720, 1440].map((each) => each * MINUTE).find((each) => (to - from) / each <= 7) ?? 10_080 * MINUTE;
  const first = Math.ceil(from / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, at) => first + at * step);
}
