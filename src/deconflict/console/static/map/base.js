// A map to draw on: land, nothing else, north up. Loaded only when a map is looked at, and only where
// the browser can draw it. Whatever is on it stands in words beside it.

import * as maplibregl from "../vendored/maplibre-gl.mjs";
import "../vendored/topojson-client.min.js";
import { h } from "../shell/dom.js";
import { t } from "../shell/words.js";
import { sheet } from "./sheet.js";

maplibregl.setWorkerUrl("/console/vendored/maplibre-gl-worker.mjs");
document.head.append(h("link", { rel: "stylesheet", href: "/console/vendored/maplibre-gl.css" }));
const WORLD = [-170, -60, 170, 75];
let land = null;

async function readLand() {
  land ??= fetch("/console/vendored/land-50m.json").then((response) => response.json())
    .then((topology) => globalThis.topojson.feature(topology, topology.objects.land));
  return land;
}

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Opens a map in a box, showing bounds [west, south, east, north]; null where there is no WebGL 2.
export async function openMap(box, bounds, label) {
  if (!document.createElement("canvas").getContext("webgl2")) return null;
  await sheet;
  const map = new maplibregl.Map({
    container: box, attributionControl: false, fadeDuration: 0, bounds: finite(bounds), fitBoundsOptions: FITTED,
    dragRotate: false, pitchWithRotate: false, touchPitch: false, maxPitch: 0, // what is drawn over it counts on north being up
    style: { version: 8, sources: {}, layers: [{ id: "sea", type: "background", paint: { "background-color": colour("sea") } }] },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.getCanvas().setAttribute("aria-label", label);
  map.on("error", ({ error }) => console.error("map", error.message));
  await map.once("load");
  const outline = await readLand();
  map.addSource("land", { type: "geojson", data: outline });
  map.addLayer({ id: "land", type: "fill", source: "land", paint: { "fill-color": colour("land") } });
  return map;
}

const FITTED = { padding: 40, maxZoom: 12, animate: false };
const finite = (bounds) => (bounds.every(Number.isFinite) ? bounds : WORLD);
export const fit = (map, bounds) => map.fitBounds(finite(bounds), FITTED);

// Nearer, farther, and all of it again: also for whoever has no wheel.
export function zoomButtons(map, whole) {
  const button = (sign, words, work) => h("button", { type: "button", "aria-label": words, title: words, onclick: work }, sign);
  return h("div", { class: "zoom" },
    button("+", t("map.nearer"), () => map.zoomIn({ animate: false })), button("−", t("map.farther"), () => map.zoomOut({ animate: false })), button("◻", t("map.whole"), whole));
}

// Draws again in the colours of the other theme; returns how to stop that.
export function onTheme(map, draw) {
  const watcher = new MutationObserver(() => {
    map.setPaintProperty("sea", "background-color", colour("sea"));
    map.setPaintProperty("land", "fill-color", colour("land"));
    draw();
  });
  watcher.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => watcher.disconnect();
}
