// The map: land, the two sides of a conflict, and where each is at the time shown. It is beside the
// words, never instead of them: everything on it stands in the card.

import * as maplibregl from "../vendored/maplibre-gl.mjs";
import "../vendored/topojson-client.min.js";
import { around, circle, placeAt } from "../card/scene.js";

maplibregl.setWorkerUrl("/console/vendored/maplibre-gl-worker.mjs");
const topojson = globalThis.topojson;
let land = null;
document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: "/console/vendored/maplibre-gl.css" }));

// Loaded once, and only when a map is looked at.
async function readLand() {
  land ??= fetch("/console/vendored/land-50m.json").then((response) => response.json())
    .then((topology) => topojson.feature(topology, topology.objects.land));
  return land;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const feature = (type, coordinates, properties = {}) => ({ type: "Feature", geometry: { type, coordinates }, properties });
const collection = (features) => ({ type: "FeatureCollection", features });

export class MapView {
  #map; #sides;

  static async open(box, sides, conflict) {
    if (!webgl()) return null; // the card and the profile say the same
    const base = sides.find((side) => side.place)?.place.lon_deg ?? null;
    const shapes = sides.flatMap((side) => side.parts.map((part) => shape(part, side, base))).filter(Boolean);
    const map = new maplibregl.Map({
      container: box, attributionControl: false, dragRotate: false, pitchWithRotate: false, fadeDuration: 0,
      bounds: boundsOf(shapes), fitBoundsOptions: { padding: 36, maxZoom: 11 },
      style: { version: 8, sources: {}, layers: [{ id: "sea", type: "background", paint: { "background-color": colour("sea") } }] },
    });
    map.on("error", ({ error }) => console.error("map", error.message));
    map.keyboard.enable();
    await new Promise((resolve) => map.once("load", resolve));
    const view = new MapView(map, sides, shapes, conflict, await readLand(), base);
    map.triggerRepaint();
    await map.once("idle");
    box.dataset.ready = "true";
    return view;
  }

  constructor(map, sides, shapes, conflict, land, base) {
    [this.#map, this.#sides, this.base] = [map, sides, base];
    const own = ["case", ["get", "own"], colour("own"), colour("peer")];
    map.addSource("land", { type: "geojson", data: land });
    map.addLayer({ id: "land", type: "fill", source: "land", paint: { "fill-color": colour("land") } });
    map.addSource("shapes", { type: "geojson", data: collection(shapes) });
    map.addLayer({ id: "areas", type: "fill", source: "shapes", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": own, "fill-opacity": 0.16 } });
    map.addLayer({ id: "own", type: "line", source: "shapes", filter: ["get", "own"], paint: { "line-color": colour("own"), "line-width": 2.5 } });
    map.addLayer({ id: "peer", type: "line", source: "shapes", filter: ["!", ["get", "own"]], paint: { "line-color": colour("peer"), "line-width": 2.5, "line-dasharray": [3, 2] } });
    map.addSource("nearest", { type: "geojson", data: collection(sides.filter((side) => side.place).map((side) => feature("Point", [this.#lon(side.place.lon_deg), side.place.lat_deg]))) });
    map.addLayer({ id: "nearest", type: "circle", source: "nearest", paint: { "circle-radius": 9, "circle-opacity": 0, "circle-stroke-color": colour("bad"), "circle-stroke-width": 3 } });
    map.addSource("moving", { type: "geojson", data: collection([]) });
    map.addLayer({ id: "around", type: "line", source: "moving", filter: ["==", ["geometry-type"], "Polygon"], paint: { "line-color": own, "line-width": 1.5 } });
    map.addLayer({ id: "moving", type: "circle", source: "moving", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 6, "circle-color": own, "circle-stroke-color": colour("ink"), "circle-stroke-width": 1.5 } });
  }

  // Where each is at an instant, and how far around it may be.
  show(at) {
    this.#map.getSource("moving").setData(collection(this.#sides.flatMap((side) => {
      const place = placeAt(side.parts, at);
      if (!place) return [];
      const point = [this.#lon(place.point[0]), place.point[1]];
      return [feature("Point", point, { own: side.own }), place.aside ? feature("Polygon", [closed(circle(point, place.aside))], { own: side.own }) : null].filter(Boolean);
    })));
  }

  close() {
    this.#map.remove();
  }

  #lon = (lon) => (this.base === null ? lon : around(this.base, lon));
}

function shape(part, side, base) {
  const near = ([lon, lat]) => [base === null ? lon : around(base, lon), lat];
  const properties = { own: side.own };
  if (part.leg) return feature("LineString", part.leg.map(near), properties);
  if (part.ring) return feature("Polygon", [closed(part.ring.map(near))], properties);
  return feature("LineString", part.path.map(near), properties);
}

const closed = (ring) => [...ring, ring[0]];

function boundsOf(shapes) {
  const bounds = new maplibregl.LngLatBounds();
  for (const { geometry } of shapes) for (const point of geometry.type === "Polygon" ? geometry.coordinates[0] : geometry.coordinates) bounds.extend(point);
  return bounds.isEmpty() ? [[-180, -60], [180, 75]] : bounds;
}

const webgl = () => Boolean(document.createElement("canvas").getContext("webgl2"));
