// A time as an investigator types it, and times to the millisecond as signed words say them.

import { figures, now } from "../shell/clock.js";
import { t } from "../shell/words.js";

const WHOLE = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z$/;
const CLOCK = /^(\d\d):?(\d\d)Z?$/;
const DAY_MS = 86_400_000;

// The instant of 2015-09-30T06:12Z; 06:12Z or 0612 is the last time it was that.
export function instant(text) {
  const typed = text.trim().toUpperCase();
  const clock = CLOCK.exec(typed);
  const found = clock ? Date.parse(`${new Date(now()).toISOString().slice(0, 10)}T${clock[1]}:${clock[2]}:00Z`) : WHOLE.test(typed) ? Date.parse(typed) : NaN;
  if (Number.isNaN(found)) throw Object.assign(new Error(t("fields.time", { given: text })), { status: 0 }); // what was typed, no defect
  return clock && found > now() ? found - DAY_MS : found;
}

// The same, and nothing where nothing is typed.
export const instantOrNone = (text) => (text.trim() ? new Date(instant(text)).toISOString() : null);

// To the millisecond, without the day where it is the day asked about.
export const exact = (utc, day) => figures(day && utc.startsWith(day) ? utc.slice(11) : `${utc.slice(0, 10)} ${utc.slice(11)}`);

export const lasting = (ms) => (ms < 1000 ? t("record.lasting_ms", { ms }) : t("record.lasting_s", { s: ms / 1000 }));
