// What is declared as things on a map: areas and ways on the ground, bands of altitude, times. Made
// once for each declaration that the world holds, which is replaced when it changes.

import { figures } from "../shell/clock.js";
import { around, circle, corridor, ring, way } from "./sphere.js";

const TMM = 10_000;
const FOOT_M = 0.3048;

export const degrees = ({ lat_e7, lon_e7 }) => [lon_e7 / 1e7, lat_e7 / 1e7];
const made = new WeakMap();
let features = 0;

export function thingOf(declaration) {
  if (!made.has(declaration)) made.set(declaration, make(declaration));
  return made.get(declaration);
}

function make(declaration) {
  const { trajectory, volumes = [] } = declaration.geometry;
  const named = { key: `${declaration.party}/${declaration.declaration_id}`, declaration, own: declaration.own, from: Date.parse(declaration.start_utc), to: Date.parse(declaration.end_utc) };
  if (!trajectory) return { ...named, waypoints: null, parts: volumes.map((volume) => area(volume, named.own)) };
  const waypoints = trajectory.waypoints.map((point) => ({ at: Date.parse(point.at_utc), place: degrees(point), height: point.altitude_tmm / TMM }));
  const drawn = way(waypoints.map((point) => point.place));
  const { lateral_mm: aside } = trajectory.containment;
  return { ...named, waypoints, reference: trajectory.reference, aside: aside / 1000,
    parts: [{ id: ++features, kind: "way", from: waypoints[0].at, to: waypoints.at(-1).at, drawn, feature: feature(features, "LineString", drawn, named.own) }] };
}

function area({ outline, band, span }, own) {
  const places = placesOf(outline);
  const drawn = ring(outlined(outline, places));
  return { id: ++features, kind: "area", from: Date.parse(span.start_utc), to: Date.parse(span.end_utc), drawn, middle: outline.corridor ? places[Math.floor(places.length / 2)] : middle(drawn), reference: band.reference,
    low: metres(band.lower_tmm), high: metres(band.upper_tmm), feature: feature(features, "Polygon", [drawn], own) };
}

const metres = (tmm) => (tmm === null || tmm === undefined ? null : tmm / TMM);

// The places that a person names: what is typed, and what is moved.
export function placesOf({ circle: round, corridor: along, polygon, places }) {
  if (round) return [degrees(round.center)];
  return (along?.path ?? polygon?.vertices ?? places).map(degrees);
}

// The edge of an outline; of a path or a place whose reach nobody has said, itself.
export function outlined({ circle: round, corridor: along }, places) {
  if (round?.radius_mm) return circle(places[0], round.radius_mm / 1000);
  return along?.half_width_mm ? corridor(places, along.half_width_mm / 1000) : places;
}

function middle(drawn) {
  const [west, south, east, north] = boundsOf(drawn);
  return [(west + east) / 2, (south + north) / 2];
}

export function boundsOf(places) {
  const bounds = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [lon, lat] of places) {
    bounds[0] = Math.min(bounds[0], lon);
    bounds[1] = Math.min(bounds[1], lat);
    bounds[2] = Math.max(bounds[2], lon);
    bounds[3] = Math.max(bounds[3], lat);
  }
  return bounds;
}

// Of things; infinite where there are none.
export function boundsOfAll(things) {
  const places = things.flatMap((thing) => thing.parts.flatMap((part) => part.drawn));
  const base = places[0]?.[0] ?? 0;
  return boundsOf(places.map(([lon, lat]) => [around(base, lon), lat]));
}

const feature = (id, type, coordinates, own) => ({ type: "Feature", id, geometry: { type, coordinates }, properties: { own, id } });

// How high something is: 20000 ft AMSL, FL210; told whole, in metres too.
export function altitude(height_m, reference, { whole = false } = {}) {
  const feet = Math.round(height_m / FOOT_M);
  const said = reference === "FL" ? `FL${String(Math.round(feet / 100)).padStart(3, "0")}` : `${feet} ft ${reference}`;
  return figures(whole ? `${said} (${Math.round(height_m)} m)` : said);
}

export function bandOf({ low, high, reference }, whole = {}) {
  return figures(`${low === null ? "SFC" : altitude(low, reference, whole)} – ${high === null ? "UNL" : altitude(high, reference, whole)}`);
}
