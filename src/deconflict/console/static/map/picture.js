// The map itself: layers of areas and ways, and above them what moves. It is told what to show and
// says what was pressed; it knows nothing of tables.

import { colour, fit, onTheme, openMap, zoomButtons } from "./base.js";
import { HIT, Layers } from "./layers.js";
import { nearestHit, paint } from "./marks.js";
import { Moving } from "./moving.js";
import { Overlay } from "./overlay.js";
import { around } from "./sphere.js";
import { boundsOf, boundsOfAll } from "./things.js";

const HIT_PX = 5;
const COLOURS = ["own", "peer", "bad", "ink", "ground"];

export class Picture {
  #map; #layers; #overlay; #pick; #hits = []; #endTheme;
  #parts = new Map(); // id of a part -> its thing
  #scene = { moving: new Moving([]), flights: [], areas: [], findings: [], selected: null, at: 0, choice: "plain", colours: {} };
  #fitted = false;

  // Opens a map in a box; null where the browser cannot draw one. whole() gives all that there is,
  // pick(thing) is told what was pressed, or null.
  static async open(box, { choice, label, whole, pick }) {
    const map = await openMap(box, boundsOfAll(whole()), label);
    return map && new Picture(map, box, choice, whole, pick);
  }

  constructor(map, box, choice, whole, pick) {
    [this.#map, this.#pick, this.#scene.choice] = [map, pick, choice];
    this.#layers = new Layers(map);
    this.#recolour();
    this.#overlay = new Overlay(map, (brush, view) => (this.#hits = paint(brush, view, this.#scene)));
    this.#endTheme = onTheme(map, () => {
      this.#recolour();
      this.#layers.recolour();
      this.#overlay.draw();
    });
    box.append(zoomButtons(map, () => fit(map, boundsOfAll(whole()))));
    map.on("click", ({ point }) => this.#press(point));
    map.on("mousemove", ({ point }) => (map.getCanvas().style.cursor = nearestHit(this.#hits, point.x, point.y) ? "pointer" : ""));
    map.once("idle", () => (box.dataset.ready = "true"));
    map.triggerRepaint();
  }

  set({ things, findings, flights, moving, selected }) {
    const parts = things.flatMap((thing) => thing.parts);
    this.#parts = new Map(things.flatMap((thing) => thing.parts.map((part) => [part.id, thing])));
    const areas = things.flatMap((thing) => thing.parts.filter((part) => part.kind === "area").map((part) => ({ thing, part })));
    Object.assign(this.#scene, { areas, findings, flights, moving, selected, parts });
    this.#layers.set(parts);
    if (!this.#fitted && things.length) {
      this.#fitted = true;
      fit(this.#map, boundsOfAll(things));
    }
    this.#overlay.draw();
  }

  show(at) {
    this.#scene.at = at;
    this.#overlay.draw();
  }

  // Areas and ways under way are stronger than the others: once the time rests.
  mark(at) {
    this.#layers.mark(this.#scene.parts ?? [], at);
  }

  symbols(choice) {
    this.#scene.choice = choice;
    this.#overlay.draw();
  }

  // Shows what was selected in the table: where it is not in sight the map goes there.
  select(thing, toMap) {
    this.#scene.selected = thing;
    if (toMap && thing) {
      const bounds = thing.conflict ? boundsOf(thing.places) : boundsOfAll([thing]);
      if (bounds.every(Number.isFinite) && !this.#inSight(bounds)) fit(this.#map, bounds);
    }
    this.#overlay.draw();
  }

  end() {
    this.#endTheme();
    this.#overlay.end();
    this.#map.remove();
  }

  #inSight([west, south, east, north]) {
    const seen = this.#map.getBounds();
    const middle = (seen.getWest() + seen.getEast()) / 2;
    return seen.getSouth() <= south && north <= seen.getNorth() && seen.getWest() <= around(middle, west) && around(middle, east) <= seen.getEast();
  }

  // What lies nearest to a press; pressed again, the next of those that lie there.
  #press(point) {
    const moving = nearestHit(this.#hits, point.x, point.y);
    if (moving) return this.#pick(moving);
    const near = [[point.x - HIT_PX, point.y - HIT_PX], [point.x + HIT_PX, point.y + HIT_PX]];
    const found = [...new Set(this.#map.queryRenderedFeatures(near, { layers: HIT }).map(({ id }) => this.#parts.get(id)).filter(Boolean))];
    this.#pick(found[(found.indexOf(this.#scene.selected) + 1) % found.length] ?? null);
  }

  #recolour() {
    for (const name of COLOURS) this.#scene.colours[name] = colour(name);
    this.#scene.colours.veil = `${colour("panel")}d0`;
  }
}
