// Areas and ways of both sides below what moves. Own: solid edges and slanted hatching; the peers':
// dashed edges and dots. Colour repeats what pattern says.

import { colour } from "./base.js";

const FAINT = 0.45; // what is not under way at the time shown
const OWN = ["get", "own"];
const PEER = ["!", OWN];
const AREA = ["==", ["geometry-type"], "Polygon"];
const shade = ["case", ["boolean", ["feature-state", "now"], false], 1, FAINT];
const LAYERS = [
  ["areas-own", "fill", ["all", AREA, OWN]], ["areas-peer", "fill", ["all", AREA, PEER]],
  ["edges-own", "line", OWN], ["edges-peer", "line", PEER],
];
export const HIT = LAYERS.map(([id]) => id).toReversed();

export class Layers {
  #map; #drawn = new Map(); #now = new Set();

  constructor(map) {
    this.#map = map;
    map.addSource("shapes", { type: "geojson", data: collection([]) });
    for (const side of ["own", "peer"]) map.addImage(side, hatching(side));
    for (const [id, type, filter] of LAYERS) map.addLayer({ id, type, source: "shapes", filter, paint: paintOf(id) });
  }

  // Shows parts of things: in one go, or the difference where little changed.
  set(parts) {
    const wanted = new Map(parts.map((part) => [part.id, part.feature]));
    const gone = [...this.#drawn.keys()].filter((id) => !wanted.has(id));
    const fresh = parts.filter(({ id }) => !this.#drawn.has(id)).map((part) => part.feature);
    if (!gone.length && !fresh.length) return;
    const source = this.#map.getSource("shapes");
    if (gone.length + fresh.length < this.#drawn.size / 4) source.updateData({ remove: gone, add: fresh });
    else source.setData(collection([...wanted.values()]));
    this.#drawn = wanted;
    for (const id of gone) this.#now.delete(id);
  }

  // Marks the parts that are under way; only those that became so or ceased to be are touched.
  mark(parts, at) {
    for (const { id, from, to } of parts) {
      const now = from <= at && at <= to;
      if (now === this.#now.has(id)) continue;
      this.#map.setFeatureState({ source: "shapes", id }, { now });
      if (now) this.#now.add(id);
      else this.#now.delete(id);
    }
  }

  recolour() {
    for (const side of ["own", "peer"]) this.#map.updateImage(side, hatching(side));
    for (const [id] of LAYERS) for (const [name, value] of Object.entries(paintOf(id))) this.#map.setPaintProperty(id, name, value);
  }
}

const collection = (features) => ({ type: "FeatureCollection", features });

function paintOf(id) {
  const [what, side] = id.split("-");
  if (what === "areas") return { "fill-pattern": side, "fill-opacity": shade };
  return { "line-color": colour(side), "line-width": 1.8, "line-opacity": shade, ...(side === "peer" && { "line-dasharray": [3, 2] }) };
}

// Own: lines from corner to corner. The peers': dots. Both meet themselves at every edge.
function hatching(side) {
  const size = 12;
  const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
  const brush = canvas.getContext("2d");
  [brush.strokeStyle, brush.fillStyle, brush.globalAlpha] = [colour(side), colour(side), 0.55];
  if (side === "own") {
    for (const aside of [-size, 0, size]) {
      brush.moveTo(aside - 1, size + 1);
      brush.lineTo(aside + size + 1, -1);
    }
    brush.stroke();
  } else {
    brush.arc(size / 4, size / 4, 1.3, 0, 7);
    brush.arc((size * 3) / 4, (size * 3) / 4, 1.3, 0, 7);
    brush.fill();
  }
  return brush.getImageData(0, 0, size, size);
}
