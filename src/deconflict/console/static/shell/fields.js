// Form fields for the values that messages carry. What is typed is turned into whole units here,
// without guessing: anything else is refused before it is sent, and the node checks again. A place is
// read by the node, in any notation.

import { h } from "./dom.js";
import { post } from "./node.js";
import { t } from "./words.js";

// Units that may stand behind a figure, in mm and in tenths of a millimetre; without one it is the first.
const LENGTHS = { km: 1_000_000, m: 1_000, nm: 1_852_000 };
const HEIGHTS = { m: 10_000, ft: 3_048 };

const number = (text, factor, what) => {
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new Error(t("fields.number", { what, given: text }));
  return Math.round(Number(text) * factor);
};
const measured = (text, units, what) => {
  const [, figure, unit] = /^(.*?)\s*([a-z]*)$/i.exec(text);
  const factor = unit ? units[unit.toLowerCase()] : Object.values(units)[0];
  return number(factor === undefined ? text : figure, factor, what);
};
const limit = (text) => (/^(SFC|UNL)$/.test(text) ? null : measured(text, HEIGHTS, t("fields.altitude")));
const parts = (text, count, what) => {
  const found = text.trim().split(/[\s,]+/);
  if (found.length !== count) throw new Error(t("fields.parts", { what, given: text }));
  return found;
};
const utc = (text) => {
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{3})?)?Z$/.test(text)) throw new Error(t("fields.time", { given: text }));
  return new Date(text.replace(" ", "T")).toISOString();
};

const TYPES = {
  position: async (text) => {
    const { lat_e7, lon_e7 } = await post("/places/read", { text });
    return { lat_e7, lon_e7 };
  },
  time: utc,
  altitude: (text) => {
    const [reference, metres] = parts(text, 2, t("fields.hint.altitude"));
    return { reference, tmm: measured(metres, HEIGHTS, t("fields.altitude")) };
  },
  band: (text) => {
    const [reference, lower, upper] = parts(text, 3, t("fields.hint.band"));
    return { reference, lower_tmm: limit(lower), upper_tmm: limit(upper) };
  },
  distance: (text) => measured(text, LENGTHS, t("fields.hint.distance")),
  separation: (text) => measured(text, LENGTHS, t("fields.hint.separation")),
  height: (text) => measured(text, HEIGHTS, t("fields.hint.height")),
  bearing: (text) => number(text, 10, t("fields.hint.bearing")),
  speed: (text) => number(text, 1000, t("fields.hint.speed")),
  count: (text) => number(text, 1, t("fields.hint.count")),
  id: (text) => text,
  password: (text) => text,
  text: (text) => text,
};
const HINTED = new Set(["position", "time", "altitude", "band", "distance", "separation", "height", "bearing", "speed", "count"]);

// Puts labelled inputs for {name: type} into a box; the answer reads them all, or throws. A choice
// that begins with nothing has to be made.
export function fields(box, wanted, { known = {}, choices = {}, labels = {}, hints = {} } = {}) {
  const inputs = Object.entries(wanted).map(([name, type]) => {
    const optional = type.endsWith("?");
    const plain = type.replace("?", "");
    const read = TYPES[plain] ?? TYPES.text;
    const called = labels[name] ?? t(`field.${name}`);
    const words = optional ? t("fields.optional", { what: called }) : called;
    const hint = HINTED.has(plain) ? ` (${t(`fields.hint.${plain}`)})` : "";
    if (choices[name] && plain === "several") {
      const boxes = choices[name].map(([value, said]) => h("label", { class: "row" }, h("input", { type: "checkbox", name, value, checked: hints[name]?.includes(value) }), said));
      const found = () => boxes.map((box) => box.firstChild).filter((input) => input.checked).map((input) => input.value);
      return { name, label: h("fieldset", {}, h("legend", {}, words), h("div", { class: "row" }, boxes)), value: () => {
        if (!optional && !found().length) throw new Error(t("fields.one_at_least", { what: words }));
        return found();
      } };
    }
    if (choices[name]) {
      const select = h("select", { name, required: !optional }, choices[name].map(([value, said]) => h("option", { value, selected: value === hints[name] }, said)));
      return { name, label: h("label", {}, words, select), value: () => select.value };
    }
    const input = h("input", { name, required: !optional, value: known[name] ?? hints[name] ?? "", type: plain === "password" ? "password" : "text", readonly: name in known, dir: plain === "text" ? "auto" : "ltr", autocomplete: "off" });
    return { name, label: h("label", {}, words + hint, input), value: () => (optional && !input.value.trim() ? null : read(plain === "password" ? input.value : input.value.trim())) };
  });
  box.replaceChildren(...inputs.map(({ label }) => label));
  return async () => Object.fromEntries(await Promise.all(inputs.map(async ({ name, value }) => [name, await value()])));
}
