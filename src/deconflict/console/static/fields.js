// Form fields for the values that messages carry. What is typed is turned into whole units here,
// without guessing: anything else is refused before it is sent, and the node checks again.

const number = (text, factor, what) => {
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new Error(`${what}: a plain number, not “${text}”`);
  return Math.round(Number(text) * factor);
};
const limit = (text) => (/^(SFC|UNL)$/.test(text) ? null : number(text, 10_000, "altitude"));
const parts = (text, count, what) => {
  const found = text.trim().split(/[\s,]+/);
  if (found.length !== count) throw new Error(`${what}, not “${text}”`);
  return found;
};
const utc = (text) => {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{3})?)?Z$/.test(text)) throw new Error(`time in UTC as 2015-09-30T12:00Z, not “${text}”`);
  return new Date(text).toISOString();
};

const TYPES = {
  position: ["latitude longitude, degrees", (text) => {
    const [lat, lon] = parts(text, 2, "latitude and longitude");
    return { lat_e7: number(lat, 1e7, "latitude"), lon_e7: number(lon, 1e7, "longitude") };
  }],
  time: ["UTC, 2015-09-30T12:00Z", utc],
  altitude: ["reference and metres: AMSL 3000", (text) => {
    const [reference, metres] = parts(text, 2, "reference and metres");
    return { reference, tmm: number(metres, 10_000, "altitude") };
  }],
  band: ["reference, from, to in metres: AMSL SFC 6000", (text) => {
    const [reference, lower, upper] = parts(text, 3, "reference, from and to");
    return { reference, lower_tmm: limit(lower), upper_tmm: limit(upper) };
  }],
  distance: ["km", (text) => number(text, 1e6, "km")],
  separation: ["km", (text) => number(text, 1e6, "km")],
  height: ["m", (text) => number(text, 10_000, "m")],
  bearing: ["degrees true", (text) => number(text, 10, "degrees")],
  speed: ["m/s", (text) => number(text, 1000, "m/s")],
  count: ["whole number", (text) => number(text, 1, "number")],
  id: ["declaration id", (text) => text],
  text: ["", (text) => text],
};

// Puts labelled inputs for {name: type} into a box; the answer reads them all, or throws.
export function fields(box, wanted, known = {}) {
  const inputs = Object.entries(wanted).map(([name, type]) => {
    const optional = type.endsWith("?");
    const [hint, read] = TYPES[type.replace("?", "")] ?? TYPES.text;
    const label = document.createElement("label");
    const input = document.createElement("input");
    input.required = !optional;
    input.value = known[name] ?? "";
    input.readOnly = name in known;
    label.append(`${name.replaceAll("_", " ")}${hint ? ` (${hint})` : ""} `, input);
    return { name, label, value: () => (optional && !input.value.trim() ? null : read(input.value.trim())) };
  });
  box.replaceChildren(...inputs.map(({ label }) => label));
  return () => Object.fromEntries(inputs.map(({ name, value }) => [name, value()]));
}
