// Two declarations as figures over time: where each is at an instant, how high, and how far around.
// It is for looking: the node computes on the ellipsoid, this draws.

const METRES_PER_DEGREE = 111_320;
const TMM = 10_000;

const ms = (text) => Date.parse(text);
const degrees = ({ lat_e7, lon_e7 }) => [lon_e7 / 1e7, lat_e7 / 1e7];

// The parts of a declaration: bands of altitude over time, and outlines on the ground.
export function partsOf(declaration) {
  const { trajectory, volumes = [] } = declaration.geometry;
  if (!trajectory) {
    return volumes.map(({ outline, band, span }) => ({
      from: ms(span.start_utc), to: ms(span.end_utc), reference: band.reference,
      low: [band.lower_tmm, band.lower_tmm].map(metres(0)), high: [band.upper_tmm, band.upper_tmm].map(metres(null)), ...ground(outline),
    }));
  }
  const { waypoints, reference, containment } = trajectory;
  const vertical = containment.vertical_tmm / TMM;
  return waypoints.slice(1).map((next, at) => {
    const here = waypoints[at];
    return {
      from: ms(here.at_utc), to: ms(next.at_utc), reference, leg: [degrees(here), degrees(next)], aside: containment.lateral_mm / 1000,
      low: [here, next].map((point) => point.altitude_tmm / TMM - vertical), high: [here, next].map((point) => point.altitude_tmm / TMM + vertical),
    };
  });
}

const metres = (open) => (tmm) => (tmm === null ? open : tmm / TMM);

function ground(outline) {
  if (outline.circle) return { ring: circle(degrees(outline.circle.center), outline.circle.radius_mm / 1000) };
  if (outline.polygon) return { ring: outline.polygon.vertices.map(degrees) };
  return { path: outline.corridor.path.map(degrees) };
}

export function circle([lon, lat], radius_m, points = 72) {
  const high = radius_m / METRES_PER_DEGREE;
  const wide = high / Math.max(Math.cos((lat * Math.PI) / 180), 0.01);
  return Array.from({ length: points }, (_, at) => {
    const angle = (2 * Math.PI * at) / points;
    return [lon + wide * Math.sin(angle), lat + high * Math.cos(angle)];
  });
}

// Where something is at an instant, null where it is not under way.
export function placeAt(parts, at) {
  const part = parts.find((each) => each.leg && each.from <= at && at <= each.to);
  if (!part) return null;
  const share = part.to === part.from ? 0 : (at - part.from) / (part.to - part.from);
  const [[west, south], [east, north]] = part.leg;
  return { point: [west + (around(west, east) - west) * share, south + (north - south) * share], height: mid(part, share), aside: part.aside };
}

const mid = ({ low, high }, share) => (between(low, share) + between(high, share)) / 2;
const between = ([from, to], share) => from + (to - from) * share;

// A longitude on the same side of the antimeridian as another.
export const around = (base, lon) => base + ((((lon - base + 180) % 360) + 360) % 360) - 180;
