// A draft as shapes that can be moved, and back into the text that it was read from. The text stays
// the truth: whatever is changed here is written there, and read by the node like anything typed.

import { placesOf } from "../map/things.js";
import { metres } from "../map/sphere.js";

const TMM = 10_000;

// The shapes of an answer of /drafts/read: [{ draft, volume, kind, places, reach_m }]. kind is circle,
// corridor, polygon, flight, or null where nobody has said what the places are.
export function shapesOf({ drafts }) {
  return drafts.flatMap((draft, number) => {
    const { trajectory, volumes = [] } = draft.geometry;
    if (trajectory) return [{ draft: number, volume: 0, kind: "flight", places: trajectory.waypoints.map(({ lat_e7, lon_e7 }) => [lon_e7 / 1e7, lat_e7 / 1e7]), reach_m: null }];
    return volumes.map(({ outline }, volume) => {
      const kind = ["circle", "corridor", "polygon"].find((each) => outline[each]) ?? null;
      const reach = outline.circle?.radius_mm ?? outline.corridor?.half_width_mm ?? null;
      return { draft: number, volume, kind, places: placesOf(outline), reach_m: reach === null ? null : reach / 1000 };
    });
  });
}

// The outline of a shape as the map draws outlines.
export function outlineOf({ kind, places, reach_m }) {
  const points = places.map(([lon, lat]) => ({ lat_e7: lat * 1e7, lon_e7: lon * 1e7 }));
  const reach = reach_m === null ? null : reach_m * 1000;
  if (kind === "circle") return { circle: { center: points[0], radius_mm: reach } };
  if (kind === "polygon") return { polygon: { vertices: points } };
  return kind === "corridor" ? { corridor: { path: points, half_width_mm: reach } } : { places: points };
}

// What the arrow keys do, in pixels to the right and down.
export const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export const LEAST = { circle: 1, corridor: 2, polygon: 3, flight: 2, null: 1 };

// What may be done with a shape: a flight has a time at each point, which nobody may invent.
export const grows = ({ kind }) => kind === "polygon" || kind === "corridor" || kind === null;

// True exactly when what was read can be written back: a draft of several volumes says all of them
// alike, or is of our own profile, which has a place for each.
export function writable({ format, drafts }) {
  return drafts.every(({ stated, geometry }) => geometry.trajectory || format === "GEOJSON_PROFILE" || stated.every((each) => JSON.stringify(each) === JSON.stringify(stated[0])));
}

// The text and fields after a change on the map: { text, fields }; what was not moved stays to the
// last digit. read is the answer that the shapes are of, null when there was none.
export function written(read, shapes) {
  const bare = !read || read.format === "POSITIONS";
  const kinds = new Set(shapes.map(({ kind }) => kind));
  if (bare && kinds.size === 1 && (shapes.length === 1 || sameCircles(shapes))) return asPositions(shapes);
  if (read?.format === "GEOJSON_PROFILE") return { text: json(profile(read, shapes)), fields: {} };
  return asGeojson(read, shapes, bare);
}

const sameCircles = (shapes) => shapes.every(({ kind, reach_m }) => kind === "circle" && reach_m === shapes[0].reach_m);

function asPositions(shapes) {
  const [{ kind, reach_m }] = shapes;
  const shape = { circle: "circles", corridor: "corridor", polygon: "polygon" }[kind] ?? "";
  const reach = reach_m === null ? {} : { [kind === "circle" ? "radius" : "half_width"]: distance(reach_m) };
  return { text: shapes.flatMap(({ places }) => places.map(position)).join("\n"), fields: { shape, ...reach } };
}

// A document of the kind that other programs write: what was read of each draft stands in it, so the
// fields that had said it are emptied; of bare places the fields go on saying it.
function asGeojson(read, shapes, bare) {
  const numbers = [...new Set(shapes.map(({ draft }) => draft))];
  const features = numbers.map((number) => {
    const own = shapes.filter(({ draft }) => draft === number);
    const draft = read?.drafts[number];
    const [first] = own;
    const reach = first.reach_m === null ? {} : { [first.kind === "circle" ? "radius" : "half_width"]: distance(first.reach_m) };
    const geometries = own.map(geometry);
    return { type: "Feature", geometry: geometries.length === 1 ? geometries[0] : { type: "GeometryCollection", geometries },
      properties: kept({ name: draft?.name, ...(bare ? {} : draft?.stated[0]), ...reach }) };
  });
  const emptied = bare ? ["shape", "radius", "half_width"] : ["shape", "radius", "half_width", "lower", "upper", "start_utc", "end_utc"];
  return { text: json({ type: "FeatureCollection", features }), fields: Object.fromEntries(emptied.map((name) => [name, ""])) };
}

function profile({ drafts }, shapes) {
  return { type: "FeatureCollection", features: drafts.map((draft, number) => {
    const own = shapes.filter((each) => each.draft === number);
    const named = kept({ purpose: draft.purpose, label: draft.label, declaration_id: draft.declaration_id });
    const { trajectory } = draft.geometry;
    if (trajectory) return { type: "Feature", geometry: geometry(own[0]), properties: { ...named, ...timed(trajectory) } };
    const said = own.map(({ kind, reach_m }, at) => kept({ ...draft.stated[at], [kind === "circle" ? "radius" : "half_width"]: reach_m === null ? null : distance(reach_m) }));
    if (own.length === 1) return { type: "Feature", geometry: geometry(own[0]), properties: { ...named, ...said[0] } };
    return { type: "Feature", geometry: { type: "GeometryCollection", geometries: own.map(geometry) }, properties: { ...named, volumes: said } };
  }) };
}

function timed({ waypoints, reference, containment }) {
  return {
    times: waypoints.map(({ at_utc }) => at_utc),
    altitudes: waypoints.map(({ altitude_tmm }) => `${altitude_tmm / TMM} m ${reference}`),
    containment: { lateral: `${containment.lateral_mm / 1000} m`, vertical: `${containment.vertical_tmm / TMM} m`, time: `${containment.time_ms / 1000} s` },
  };
}

function geometry({ kind, places }) {
  const points = places.map(([lon, lat]) => [seventh(lon), seventh(lat)]);
  if (kind === "polygon") return { type: "Polygon", coordinates: [[...points, points[0]]] };
  return points.length === 1 ? { type: "Point", coordinates: points[0] } : { type: "LineString", coordinates: points };
}

const seventh = (degrees) => Math.round(degrees * 1e7) / 1e7;
const kept = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined));
const json = ({ type, features }) => `{"type": "${type}", "features": [\n${features.map((each) => JSON.stringify(each)).join(",\n")}\n]}`; // a line for each

// A metre is the fifth digit: what is drawn has five, what was read has all it had.
export const rounded = ([lon, lat]) => [Math.round(((((lon + 180) % 360) + 360) % 360 - 180) * 1e5) / 1e5, Math.round(Math.max(-90, Math.min(90, lat)) * 1e5) / 1e5];

export function position([lon, lat]) {
  const say = (degrees, wide, [positive, negative]) => {
    const [whole, part] = Math.abs(degrees).toFixed(7).split(".");
    return `${whole.padStart(wide, "0")}.${part.replace(/0{1,2}$/, "")}${degrees < 0 ? negative : positive}`;
  };
  return `${say(lat, 2, "NS")} ${say(lon, 3, "EW")}`;
}

// A distance as it was, or as it was drawn: to ten metres.
const distance = (reach_m) => `${reach_m} m`;
export const reachTo = (center, place) => Math.max(10, Math.round(metres(center, place) / 10) * 10);
