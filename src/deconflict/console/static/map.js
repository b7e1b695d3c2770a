// A sketch of what is declared: outlines and paths on a plain grid, no terrain, no borders.

const SVG = "http://www.w3.org/2000/svg";
const SIZE = { width: 600, height: 380, edge: 24 };
const METRES_PER_DEGREE = 111_320; // a sketch: the node computes on the ellipsoid, this does not

export function draw(svg, declarations, conflicts) {
  const shapes = declarations.flatMap((each) => shapesOf(each).map((shape) => ({ ...shape, of: each })));
  const marks = conflicts.flatMap((each) => (each.place_first ? [{ place: each.place_first, of: each }] : []));
  const points = [...shapes.flatMap((shape) => shape.points), ...marks.map((mark) => [mark.place.lon_deg, mark.place.lat_deg])];
  svg.setAttribute("viewBox", `0 0 ${SIZE.width} ${SIZE.height}`);
  svg.replaceChildren();
  if (!points.length) return;
  const put = projection(points);
  for (const shape of shapes) {
    const path = shape.points.map(put).map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
    const node = add(svg, shape.closed ? "polygon" : "polyline", { points: path, class: shape.of.own ? "own" : "peer" });
    add(node, "title").textContent = `${shape.of.drill ? "DRILL " : ""}${shape.of.party}: ${shape.of.purpose} ${shape.of.label ?? ""}`;
    const [x, y] = put(shape.points[0]);
    add(svg, "text", { x: x + 4, y: y - 4 }).textContent = `${shape.of.drill ? "DRILL " : ""}${shape.of.label ?? shape.of.purpose}`;
  }
  for (const mark of marks) {
    const [x, y] = put([mark.place.lon_deg, mark.place.lat_deg]);
    const node = add(svg, "path", { class: "conflict", d: `M${x - 8},${y}h16M${x},${y - 8}v16M${x - 6},${y - 6}l12,12M${x + 6},${y - 6}l-12,12` });
    add(node, "title").textContent = mark.of.text;
  }
}

function shapesOf(declaration) {
  const { trajectory, volumes = [] } = declaration.geometry;
  if (trajectory) return [{ points: trajectory.waypoints.map(degrees), closed: false }];
  return volumes.map(({ outline }) => {
    if (outline.circle) return { points: ring(degrees(outline.circle.center), outline.circle.radius_mm / 1000), closed: true };
    if (outline.polygon) return { points: outline.polygon.vertices.map(degrees), closed: true };
    return { points: outline.corridor.path.map(degrees), closed: false };
  });
}

function ring([lon, lat], radius_m) {
  const high = radius_m / METRES_PER_DEGREE;
  const wide = high / Math.max(Math.cos((lat * Math.PI) / 180), 0.01);
  return Array.from({ length: 48 }, (_, n) => {
    const angle = (n * Math.PI) / 24;
    return [lon + wide * Math.sin(angle), lat + high * Math.cos(angle)];
  });
}

function projection(points) {
  const base = points[0][0];
  const around = (lon) => base + ((((lon - base + 180) % 360) + 360) % 360) - 180; // one side of the antimeridian
  const lons = points.map(([lon]) => around(lon));
  const lats = points.map(([, lat]) => lat);
  const west = Math.min(...lons), south = Math.min(...lats), north = Math.max(...lats);
  const shrink = Math.max(Math.cos((((south + north) / 2) * Math.PI) / 180), 0.01);
  const width = Math.max((Math.max(...lons) - west) * shrink, 0.02), height = Math.max(north - south, 0.02);
  const scale = Math.min((SIZE.width - 2 * SIZE.edge) / width, (SIZE.height - 2 * SIZE.edge) / height);
  const left = (SIZE.width - width * scale) / 2, top = (SIZE.height - height * scale) / 2;
  return ([lon, lat]) => [left + (around(lon) - west) * shrink * scale, top + (north - lat) * scale];
}

const degrees = ({ lat_e7, lon_e7 }) => [lon_e7 / 1e7, lat_e7 / 1e7];

function add(parent, name, attributes = {}) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  parent.append(node);
  return node;
}
