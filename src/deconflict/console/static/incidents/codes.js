// The closed lists of what is said of an incident, and how accounts of it are typed and laid side by side.

import { figures } from "../shell/clock.js";
import { named, t } from "../shell/words.js";

const WHAT = ["CLOSE_PASS", "AREA_ENTERED", "LINE_CROSSED", "LEVEL_LEFT", "UNDECLARED_FLIGHT", "NOTICE_FAILED", "CALL_UNANSWERED", "FIRE_NEAR", "FORCES_HIT", "SITE_HIT", "AIRCRAFT_LOST", "OTHER"];
const RISKS = ["UNDETERMINED", "RISK_OF_COLLISION", "SAFETY_NOT_ASSURED", "NO_RISK_OF_COLLISION", "USUAL_MARGINS_HELD"];
const BREACHES = ["NO_NOTICE", "SHORT_NOTICE", "WRONG_NOTICE", "NO_ANSWER", "WENT_ON_AFTER_CEASE", "AREA_ENTERED", "LINE_CROSSED", "LEVEL_LEFT", "UNDER_MINIMA", "SITE_HIT", "SIGNALS_DISTURBED", "OTHER"];

const choices = (table, codes) => codes.map((code) => [code, named(table, code)]);
export const kinds = () => choices("incident_word", WHAT);
export const risks = () => choices("risk", RISKS);
export const breaches = () => choices("breach", BREACHES);

// What is typed, a thing a line: "closest_m = 805". Digits alone are a number, true and false are yes
// and no, two decimals are a place, anything else is text.
export function typedFields(text) {
  const found = {};
  for (const line of text.split("\n").filter((each) => each.trim())) {
    const [, name, value] = /^\s*([a-z][a-z0-9_]*)\s*=\s*(.+?)\s*$/.exec(line) ?? [];
    if (!name) throw new Error(t("incident.field_as", { given: line.trim() }));
    const place = /^(-?\d+\.\d+)[\s,]+(-?\d+\.\d+)$/.exec(value);
    if (place) {
      found[`${name}_lat_e7`] = Math.round(Number(place[1]) * 1e7);
      found[`${name}_lon_e7`] = Math.round(Number(place[2]) * 1e7);
    } else found[name] = /^-?\d{1,15}$/.test(value) ? Number(value) : value === "true" || value === "false" ? value === "true" : value;
  }
  if (!Object.keys(found).length) throw new Error(t("incident.no_field"));
  return found;
}

// A place is two numbers; it is shown, and named, as one.
export const nameOf = (field) => field.replace(/_(lat|lon)_e7$/, "");

// The fields of several accounts by name, each with what every account says of it; a place is one.
export function rowsOf(accounts) {
  const names = new Set(accounts.flatMap(({ fields }) => Object.keys(fields).map((name) => placeOf(name, fields) ?? name)));
  return [...names].sort().map((name) => [name, accounts.map(({ fields }) => said(name, fields))]);
}

function placeOf(name, fields) {
  const [, place] = /^(.+)_(?:lat|lon)_e7$/.exec(name) ?? [];
  return place && `${place}_lat_e7` in fields && `${place}_lon_e7` in fields && !(place in fields) ? place : null;
}

function said(name, fields) {
  if (name in fields) return String(fields[name]);
  const [lat, lon] = [fields[`${name}_lat_e7`], fields[`${name}_lon_e7`]];
  return lat === undefined || lon === undefined ? null : figures(`${(lat / 1e7).toFixed(7)}, ${(lon / 1e7).toFixed(7)}`);
}
