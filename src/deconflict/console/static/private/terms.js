// What the terms of a line say of private checks: read once for each terms in force.

import { iso, local, now, utc } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { get } from "../shell/node.js";

// From and to, each on one line: a figure that is broken reads from the wrong end in Arabic.
export const fromTo = (from, to) => [h("span", { class: "stamp" }, `${utc(from)} –`), " ", h("span", { class: "stamp" }, utc(to))];

// Who protects the sites that a check is of puts in no plan.
export const protects = ({ protector, peer }) => protector !== null && protector !== peer;

const AHEAD = 48; // periods that are offered to begin with
const read = new Map(); // line and terms -> what they say, or null where they say nothing

export async function documentOf(line) {
  const key = `${line.line_id} ${line.terms_hash} ${line.terms_state}`;
  if (!read.has(key)) {
    const { agreed } = await get(`/lines/${line.line_id}/terms`);
    read.set(key, agreed?.private_check ?? null);
  }
  return read.get(key);
}

// The lines on which private checks are agreed, each with what is agreed.
export async function agreedLines(lines) {
  const found = await Promise.all(lines.map(async (line) => ({ line, document: await documentOf(line) })));
  return found.filter(({ document }) => document);
}

const lengthOf = ({ slots, slot_ms: slot }) => slots * slot;
const span = (from, to) => `${utc(iso(from))} – ${utc(iso(to))} (${local(iso(from))})`;

export const period = (from, document) => span(from, from + lengthOf(document));

// The periods that can be proposed: those that are not over, the next ones first.
export function periodsAhead(document) {
  const { cadence_ms: cadence } = document;
  const first = Math.floor((now() - lengthOf(document)) / cadence + 1) * cadence;
  return Array.from({ length: AHEAD }, (_, at) => first + at * cadence);
}

// The coarse slots of a run as times.
export const slotTimes = (slots, startUtc, { slot_ms: slot }) => slots.map((each) => span(Date.parse(startUtc) + each * slot, Date.parse(startUtc) + (each + 1) * slot));
