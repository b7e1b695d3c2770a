// The node's time, not the browser's: a laptop's clock may be wrong, a deadline may not.

let aheadMs = 0;
const ticking = new Set();

// How far the clock on the wall is from one that cannot be set. That one stands still in sleep on
// some machines, and goes on in others; there, a second that took minutes tells.
const apart = () => Date.now() - performance.now();
const JUMP_MS = 1_500;
const SLEPT_MS = 90_000; // longer than a browser lets a page wait that nobody looks at
let lastApart = apart();
let lastMs = Date.now();
let jumped = () => {};

// Calls work after the machine slept, or its clock was set: what is shown may be old, or too late.
export const whenJumped = (work) => (jumped = work);

export const now = () => Date.now() + aheadMs;
export const setNow = (utc) => (aheadMs = Date.parse(utc) - Date.now());

// Calls work at once, and each second as long as a node stands in the page, once it does.
export function whileShown(node, work) {
  let shown = false;
  const tick = () => {
    if (shown && !node.isConnected) return ticking.delete(tick);
    shown = node.isConnected;
    work();
  };
  ticking.add(tick);
  tick();
}

setInterval(() => {
  const since = Math.abs(apart() - lastApart);
  const slept = Date.now() - lastMs > SLEPT_MS;
  [lastApart, lastMs] = [apart(), Date.now()];
  if (since > JUMP_MS || slept) jumped();
  ticking.forEach((tick) => tick());
}, 1000);

// Figures run from left to right also within text that runs the other way.
export const figures = (text) => (document.documentElement.dir === "rtl" ? `\u2066${text}\u2069` : text);

const two = (value) => String(value).padStart(2, "0");

// 09-30 06:12:00Z: UTC first, to the second.
export const utc = (text) => (text ? figures(`${text.slice(5, 10)} ${text.slice(11, 19)}Z`) : null);
export const utcShort = (text) => (text ? figures(`${text.slice(11, 16)}Z`) : null);

// The same instant by the clock on the wall here, with how far it is from UTC.
export function local(text) {
  const date = new Date(text);
  const minutes = -date.getTimezoneOffset();
  const sign = minutes < 0 ? "−" : "+";
  return figures(`${two(date.getHours())}:${two(date.getMinutes())} ${sign}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`);
}

export const iso = (ms) => new Date(ms).toISOString();

// 1:05:09, 4:09, 0:09
export function span(ms) {
  const all = Math.floor(Math.abs(ms) / 1000);
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}
