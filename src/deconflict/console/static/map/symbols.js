// The symbol of each thing: plain ones, drawn here, or those of MIL-STD-2525, loaded when chosen.
// Own are filled; those of peers are hollow and stand in a square. The choice is the account's, kept
// by this browser.

const PLAIN = {
  FLIGHT: "M0,-9L7,8L0,4L-7,8Z", // the arrowhead of a target on a radar picture, to where it flies
  AREA: "M0,-8L8,0L0,8L-8,0Z", // a flight that says an area and not its way
  ACTIVITY: "M-8,0L-4,-7L4,-7L8,0L4,7L-4,7Z",
  HAZARD: "M0,-8L8,7L-8,7Z",
  OWN_PRESENCE: "M-7,-6H7V6H-7Z",
  PROTECTED_SITE: "M-2.5,-8H2.5V-2.5H8V2.5H2.5V8H-2.5V2.5H-8V-2.5H-2.5Z",
};
// MIL-STD-2525D: the symbol set. The frame says whose it is: friend for own, neutral for the peers',
// whom nothing here calls hostile.
const SETS = { FLIGHT: "01", ACTIVITY: "40", HAZARD: "40", OWN_PRESENCE: "10", PROTECTED_SITE: "20" };
export const CHOICES = ["plain", "mil2525"];
const SIZE = 18;

const CELL = 40; // pixels of one symbol on the sheet
const TURNS = 72; // directions that are drawn: five degrees apart
const ROWS = 24; // of a sheet: choice, whose, what
let sheet = null; // every symbol is drawn once, and copied from here
let library = null;

export const chosen = (account) => localStorage.getItem(`symbols:${account}`) === "mil2525" ? "mil2525" : "plain";

// Keeps a choice, and loads what it needs.
export async function choose(account, choice) {
  localStorage.setItem(`symbols:${account}`, choice);
  await ready(choice);
}

export async function ready(choice) {
  if (choice === "mil2525") await (library ??= import("../vendored/milsymbol.js"));
}

// Draws a symbol; heading in radians from north, null where it goes nowhere.
export function draw(brush, choice, thing, x, y, heading, colours) {
  const { own, declaration: { purpose, drill } } = thing;
  const ratio = devicePixelRatio || 1;
  const looks = `${ratio}${colours.own}${colours.peer}`;
  if (sheet?.looks !== looks) sheet = newSheet(ratio, looks);
  const turn = heading === null ? -1 : ((Math.round((heading / (2 * Math.PI)) * TURNS) % TURNS) + TURNS) % TURNS;
  const row = rowOf(`${choice}/${own}/${drill}/${purpose}`);
  const cell = row * (TURNS + 1) + turn + 1;
  const [left, top] = [(turn + 1) * CELL * ratio, row * CELL * ratio];
  if (!sheet.drawn.has(cell)) {
    sheet.drawn.add(cell);
    sheet.brush.setTransform(ratio, 0, 0, ratio, left + (CELL * ratio) / 2, top + (CELL * ratio) / 2);
    (choice === "mil2525" ? draw2525 : drawPlain)(sheet.brush, own, purpose, drill, turn < 0 ? null : (turn / TURNS) * 2 * Math.PI, colours);
  }
  brush.drawImage(sheet.canvas, left, top, CELL * ratio, CELL * ratio, Math.round(x) - CELL / 2, Math.round(y) - CELL / 2, CELL, CELL);
}

function newSheet(ratio, looks) {
  const canvas = Object.assign(document.createElement("canvas"), { width: (TURNS + 1) * CELL * ratio, height: ROWS * CELL * ratio });
  return { canvas, looks, brush: canvas.getContext("2d", { willReadFrequently: true }), drawn: new Set(), rows: new Map() };
}

function rowOf(name) {
  if (!sheet.rows.has(name) && sheet.rows.size === ROWS) sheet = newSheet(devicePixelRatio || 1, sheet.looks);
  if (!sheet.rows.has(name)) sheet.rows.set(name, sheet.rows.size);
  return sheet.rows.get(name);
}

function drawPlain(brush, own, purpose, drill, heading, colours) {
  const name = purpose === "FLIGHT" && heading === null ? "AREA" : purpose in PLAIN ? purpose : "ACTIVITY";
  const path = new Path2D(PLAIN[name]);
  brush.lineWidth = 1.5;
  brush.fillStyle = own ? colours.own : colours.ground;
  brush.strokeStyle = own ? colours.ground : colours.peer;
  if (!own) brush.strokeRect(-11, -11, 22, 22);
  if (name === "FLIGHT") brush.rotate(heading);
  brush.fill(path);
  brush.stroke(path);
}

function draw2525(brush, own, purpose, drill, heading, colours) {
  const code = `10${drill ? 1 : 0}${own ? 3 : 4}${SETS[purpose] ?? SETS.ACTIVITY}`.padEnd(20, "0");
  const symbol = new globalThis.ms.Symbol(code, { size: SIZE, outlineWidth: 3, outlineColor: "white" });
  if (heading !== null) {
    brush.strokeStyle = colours.ink;
    brush.lineWidth = 2;
    brush.beginPath();
    brush.moveTo(0, 0);
    brush.lineTo(19 * Math.sin(heading), -19 * Math.cos(heading));
    brush.stroke();
  }
  const [anchor, size] = [symbol.getAnchor(), symbol.getSize()];
  brush.drawImage(symbol.asCanvas(2), -anchor.x, -anchor.y, size.width, size.height);
}
