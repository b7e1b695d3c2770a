// Places on a sphere, for drawing: an edge or a leg is the shortest way, as the node means it. The
// node computes on the ellipsoid; a picture may be out by 0.6 % of a length.

const RADIUS_M = 6_371_008.8; // mean radius, IUGG
const RADIANS = Math.PI / 180;
const LONGEST_M = 50_000; // a longer edge is drawn in pieces: it is bent on the map

export function vector([lon, lat]) {
  const [east, north] = [lon * RADIANS, lat * RADIANS];
  return [Math.cos(north) * Math.cos(east), Math.cos(north) * Math.sin(east), Math.sin(north)];
}

export const place = ([x, y, z]) => [Math.atan2(y, x) / RADIANS, Math.atan2(z, Math.hypot(x, y)) / RADIANS];

// The angle between two vectors; exact also where it is small.
export function angle([a, b, c], [x, y, z]) {
  return Math.atan2(Math.hypot(b * z - c * y, c * x - a * z, a * y - b * x), a * x + b * y + c * z);
}

// The vector a share of the way from one to another that lies an angle away.
export function between(one, other, apart, share) {
  if (apart < 1e-12) return one;
  const [from, to] = [Math.sin((1 - share) * apart) / Math.sin(apart), Math.sin(share * apart) / Math.sin(apart)];
  return [from * one[0] + to * other[0], from * one[1] + to * other[1], from * one[2] + to * other[2]];
}

export const metres = (one, other) => RADIUS_M * angle(vector(one), vector(other));

// A longitude on the same side of the antimeridian as another.
export const around = (base, lon) => base + ((((lon - base + 180) % 360) + 360) % 360) - 180;

// The way through places as it is drawn: no step goes round the Earth, no long edge is straight.
export function way(places) {
  const drawn = [places[0]];
  for (let at = 1; at < places.length; at += 1) {
    const [one, other] = [vector(places[at - 1]), vector(places[at])];
    const apart = angle(one, other);
    const pieces = Math.min(256, Math.ceil((apart * RADIUS_M) / LONGEST_M)) || 1;
    for (let piece = 1; piece <= pieces; piece += 1) {
      const [lon, lat] = piece === pieces ? places[at] : place(between(one, other, apart, piece / pieces));
      drawn.push([around(drawn.at(-1)[0], lon), lat]);
    }
  }
  return drawn;
}

// A ring closes where it began.
export const ring = (places) => way([...places, places[0]]);

// The place so far from another, in a direction in radians from north.
export function beyond([lon, lat], metres_m, bearing) {
  const [north, far] = [lat * RADIANS, metres_m / RADIUS_M];
  const height = Math.sin(north) * Math.cos(far) + Math.cos(north) * Math.sin(far) * Math.cos(bearing);
  const east = Math.atan2(Math.sin(bearing) * Math.sin(far) * Math.cos(north), Math.cos(far) - Math.sin(north) * height);
  return [around(lon, lon + east / RADIANS), Math.asin(Math.min(1, Math.max(-1, height))) / RADIANS];
}

export const circle = (center, radius_m, points = 72) => Array.from({ length: points }, (_, at) => beyond(center, radius_m, (2 * Math.PI * at) / points));

// What lies within a distance of a path: round at its ends and at the outside of its turns.
export function corridor(path, aside_m) {
  return path.length < 2 ? circle(path[0], aside_m) : [...side(path, aside_m), ...side(path.toReversed(), aside_m)];
}

// The left edge of a path, and half way round its end.
function side(path, aside_m) {
  const edge = [];
  for (let at = 0; at + 1 < path.length; at += 1) {
    const [here, next, after] = [path[at], path[at + 1], path[at + 2]];
    const bearing = heading(here, next);
    const turn = after ? turned(bearing, heading(next, after)) : Math.PI;
    const left = bearing - Math.PI / 2;
    if (!at) edge.push(beyond(here, aside_m, left));
    if (turn >= 0) {
      const steps = Math.max(1, Math.ceil(turn / 0.3));
      for (let step = 0; step <= steps; step += 1) edge.push(beyond(next, aside_m, left + (turn * step) / steps));
    } else if (aside_m * Math.tan(-turn / 2) < Math.min(metres(here, next), metres(next, after))) {
      edge.push(beyond(next, aside_m / Math.cos(turn / 2), left + turn / 2)); // where the two edges meet inside the turn
    } else edge.push(next);
  }
  return edge;
}

const turned = (from, to) => Math.atan2(Math.sin(to - from), Math.cos(to - from));

export function heading(from, to) {
  const [one, other] = [vector(from), vector(to)];
  return Math.atan2(one[0] * other[1] - one[1] * other[0], other[2] - one[2] * (one[0] * other[0] + one[1] * other[1] + one[2] * other[2]));
}

// Web Mercator as the map has it: the world is 1 wide and 1 high.
export const mercatorX = (lon) => lon / 360 + 0.5;
export const mercatorY = (lat) => 0.5 - Math.log(Math.tan(Math.PI / 4 + (Math.max(-85.05, Math.min(85.05, lat)) * RADIANS) / 2)) / (2 * Math.PI);
