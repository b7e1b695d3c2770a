// Drawing and moving on the map of a draft, by pointer or by keys. It holds the shapes while they are
// handled; each finished change is told, and what the node then read is put in their place.

import { colour, fit, onTheme, openMap, zoomButtons } from "../map/base.js";
import { Overlay, trace } from "../map/overlay.js";
import { around, beyond, ring, way } from "../map/sphere.js";
import { boundsOf, outlined } from "../map/things.js";
import { t } from "../shell/words.js";
import { LEAST, STEPS, grows, outlineOf, reachTo, rounded } from "./shapes.js";

const GRAB_PX = 10;
const MOST_HANDLES = 400; // of shapes with more points together only those of the chosen one can be taken

export class Hand {
  #map; #box; #overlay; #told; #endTheme;
  #shapes = []; #fixed = false;
  #chosen = 0; #point = 0; // the shape and the point of it that keys move
  #drawing = null; // { kind, places } while a new one is drawn
  #held = null; // what the pointer holds: { shape, point } or { shape, reach: true }
  #handles = [];

  // told.changed(shapes): a change is finished; told.chose(shape, point, number, of how many);
  // told.drawing(kind or null, points). First it shows the bounds.
  static async open(box, bounds, told) {
    const map = await openMap(box, bounds, t("declare.map"));
    return map && new Hand(map, box, told);
  }

  constructor(map, box, told) {
    [this.#map, this.#box, this.#told] = [map, box, told];
    map.doubleClickZoom.disable();
    this.#overlay = new Overlay(map, (brush, view) => this.#paint(brush, view));
    this.#endTheme = onTheme(map, () => this.#overlay.draw());
    box.append(zoomButtons(map, () => this.fit()));
    map.on("mousedown", (event) => this.#take(event));
    map.on("touchstart", (event) => event.points.length === 1 && this.#take(event));
    for (const moved of ["mousemove", "touchmove"]) map.on(moved, (event) => this.#drag(event));
    for (const ended of ["mouseup", "touchend"]) map.on(ended, () => this.#drop());
    map.on("click", ({ lngLat }) => this.#drawing && this.#put([lngLat.lng, lngLat.lat]));
    map.on("dblclick", () => this.finish());
    map.getCanvas().addEventListener("keydown", (event) => this.#key(event));
    for (const seen of ["focus", "blur"]) map.getCanvas().addEventListener(seen, () => this.#overlay.draw());
    map.once("idle", () => (box.dataset.ready = "true"));
    map.triggerRepaint();
  }

  // Shows shapes as they were read; fixed ones can be looked at and not moved.
  set(shapes, { fixed = false, look = false } = {}) {
    if (this.#held) return; // what is moved now is read again once it is let go
    [this.#shapes, this.#fixed] = [shapes, fixed];
    this.#chosen = Math.min(this.#chosen, Math.max(0, shapes.length - 1));
    if (look) this.fit();
    this.choose(this.#chosen, Math.min(this.#point, (shapes[this.#chosen]?.places.length ?? 1) - 1));
  }

  fit() {
    const places = this.#shapes.flatMap((shape) => this.#edge(shape));
    const base = places[0]?.[0] ?? 0;
    if (places.length) fit(this.#map, boundsOf(places.map(([lon, lat]) => [around(base, lon), lat])));
  }

  choose(number, point) {
    const most = this.#shapes.length;
    [this.#chosen, this.#point] = [most ? (number + most) % most : 0, point];
    this.#told.chose(this.#shapes[this.#chosen] ?? null, point, this.#chosen, most);
    this.#overlay.draw();
  }

  draw(kind) {
    this.#drawing = kind && { kind, places: [] };
    this.#map.keyboard[kind ? "disable" : "enable"](); // its steps are too long to draw by
    this.#told.drawing(kind, 0);
    if (kind) this.#map.getCanvas().focus();
    this.#overlay.draw();
  }

  // Ends a drawing where it is whole; otherwise it goes on.
  finish() {
    const { kind, places } = this.#drawing ?? {};
    if (!kind || places.length < (kind === "circle" ? 2 : LEAST[kind])) return;
    const drafts = 1 + Math.max(-1, ...this.#shapes.map(({ draft }) => draft));
    const shape = { draft: drafts, volume: 0, kind, places: kind === "circle" ? [places[0]] : places, reach_m: kind === "circle" ? reachTo(places[0], places[1]) : null };
    this.draw(null);
    this.#chosen = this.#shapes.length;
    this.#change([...this.#shapes, shape]);
  }

  // Moves the chosen point by pixels of the map as it is seen: the same step as by pointer.
  nudge(right, down) {
    const shape = this.#shapes[this.#chosen];
    if (!shape || this.#fixed) return;
    const { x, y } = this.#map.project(shape.places[this.#point]);
    const { lng, lat } = this.#map.unproject([x + right, y + down]);
    this.#moved(this.#chosen, this.#point, [lng, lat]);
    this.#change(this.#shapes);
  }

  widen(steps) {
    const shape = this.#shapes[this.#chosen];
    if (!shape || this.#fixed || shape.reach_m === null) return;
    this.#shapes = this.#shapes.with(this.#chosen, { ...shape, reach_m: Math.max(10, Math.round((shape.reach_m * 1.1 ** steps) / 10) * 10) });
    this.#change(this.#shapes);
  }

  // Takes the chosen point away, or adds one behind it, half way to the next.
  remove() {
    const shape = this.#shapes[this.#chosen];
    if (!shape || this.#fixed || !grows(shape) || shape.places.length <= LEAST[shape.kind]) return;
    this.#point = Math.max(0, Math.min(this.#point, shape.places.length - 2));
    this.#change(this.#shapes.with(this.#chosen, { ...shape, places: shape.places.toSpliced(this.#point, 1) }));
  }

  insert() {
    const shape = this.#shapes[this.#chosen];
    if (!shape || this.#fixed || !grows(shape) || shape.places.length < 2) return;
    const at = shape.kind !== "polygon" ? Math.min(this.#point, shape.places.length - 2) : this.#point;
    this.#point = at + 1;
    this.#change(this.#shapes.with(this.#chosen, { ...shape, places: shape.places.toSpliced(at + 1, 0, this.#between(shape, at)) }));
  }

  end() {
    this.#endTheme();
    this.#overlay.end();
    this.#map.remove();
  }

  #between({ places }, at) {
    const [one, other] = [places[at], places[(at + 1) % places.length]];
    return rounded([(one[0] + around(one[0], other[0])) / 2, (one[1] + other[1]) / 2]);
  }

  #change(shapes) {
    this.#shapes = shapes;
    this.choose(this.#chosen, this.#point);
    this.#told.changed(shapes);
  }

  #moved(number, point, place) {
    const shape = this.#shapes[number];
    this.#shapes = this.#shapes.with(number, { ...shape, places: shape.places.with(point, rounded(place)) });
  }

  #put(place) {
    this.#drawing.places = [...this.#drawing.places, rounded(place)];
    this.#told.drawing(this.#drawing.kind, this.#drawing.places.length);
    if (this.#drawing.kind === "circle" && this.#drawing.places.length === 2) this.finish();
    this.#overlay.draw();
  }

  #takeBack() {
    this.#drawing.places = this.#drawing.places.slice(0, -1);
    this.#told.drawing(this.#drawing.kind, this.#drawing.places.length);
  }

  // While something is drawn: Enter sets a point at the cross in the middle, Backspace takes the last
  // away, Escape gives up. The arrow keys move the map below the cross, with Shift farther.
  #key(event) {
    if (!this.#drawing || event.altKey || event.ctrlKey || event.metaKey) return;
    const { lng, lat } = this.#map.getCenter();
    if (event.key === "Enter" && event.shiftKey) this.finish();
    else if (event.key === "Enter" || event.key === " ") this.#put([lng, lat]);
    else if (event.key in STEPS) this.#map.panBy(STEPS[event.key].map((step) => step * (event.shiftKey ? 100 : 10)), { animate: false });
    else if (event.key === "+" || event.key === "-") this.#map.zoomTo(this.#map.getZoom() + (event.key === "+" ? 0.5 : -0.5), { animate: false });
    else if (event.key === "Backspace") this.#takeBack();
    else if (event.key === "Escape") this.draw(null);
    else return;
    event.preventDefault();
    this.#overlay.draw();
  }

  #take(event) {
    if (this.#drawing) return;
    const near = this.#handles.findLast(({ x, y }) => Math.hypot(x - event.point.x, y - event.point.y) <= GRAB_PX);
    if (!near) return;
    event.preventDefault(); // the map stays where it is
    if (near.between !== undefined) {
      const shape = this.#shapes[near.shape];
      this.#shapes = this.#shapes.with(near.shape, { ...shape, places: shape.places.toSpliced(near.between + 1, 0, this.#between(shape, near.between)) });
      this.#held = { shape: near.shape, point: near.between + 1, moved: false };
    } else this.#held = { ...near, moved: false };
    if (this.#held.point !== undefined) this.choose(near.shape, this.#held.point);
  }

  #drag({ point, lngLat }) {
    if (!this.#held) {
      const near = this.#handles.some(({ x, y }) => Math.hypot(x - point.x, y - point.y) <= GRAB_PX);
      this.#map.getCanvas().style.cursor = this.#drawing ? "crosshair" : near ? "move" : "";
      return;
    }
    this.#held.moved = true;
    const { shape: number } = this.#held;
    const shape = this.#shapes[number];
    if (this.#held.reach) this.#shapes = this.#shapes.with(number, { ...shape, reach_m: reachTo(shape.places[0], [lngLat.lng, lngLat.lat]) });
    else this.#moved(number, this.#held.point, [lngLat.lng, lngLat.lat]);
    this.choose(number, this.#held.point ?? 0);
  }

  #drop() {
    const held = this.#held;
    this.#held = null;
    if (held?.moved) this.#change(this.#shapes);
  }

  #edge = (shape) => {
    const drawn = outlined(outlineOf(shape), shape.places);
    return shape.kind === "polygon" || (drawn !== shape.places && drawn.length > 2) ? ring(drawn) : way(drawn);
  };

  #paint(brush, view) {
    [this.#handles, brush.lineJoin] = [[], "round"];
    const few = this.#shapes.reduce((sum, { places }) => sum + places.length, 0) <= MOST_HANDLES;
    this.#shapes.forEach((shape, number) => {
      brush.beginPath();
      trace(brush, view, this.#edge(shape));
      brush.strokeStyle = colour("own");
      brush.lineWidth = number === this.#chosen ? 3 : 1.8;
      brush.stroke();
      if (shape.kind === "corridor" && shape.reach_m) this.#dashed(brush, view, shape.places);
      if (!this.#fixed && (few || number === this.#chosen)) this.#grips(brush, view, shape, number);
    });
    if (this.#drawing) this.#paintDrawing(brush, view);
  }

  #dashed(brush, view, places) {
    brush.beginPath();
    trace(brush, view, way(places));
    brush.lineWidth = 1;
    brush.setLineDash([5, 5]);
    brush.stroke();
    brush.setLineDash([]);
  }

  // A square at each point, a small ring half way between two, a diamond where a circle is widened.
  #grips(brush, view, shape, number) {
    const [fill, edge] = [colour("ground"), colour("ink")];
    const put = (place, grip, size, turned) => {
      const [x, y] = view.point(place);
      const chosen = number === this.#chosen && grip.point === this.#point && grip.point !== undefined;
      brush.beginPath();
      if (turned === "ring") brush.arc(x, y, size, 0, 7);
      else if (turned === "diamond") [[0, -size], [size, 0], [0, size], [-size, 0], [0, -size]].forEach(([right, down], at) => (at ? brush.lineTo(x + right, y + down) : brush.moveTo(x, y - size)));
      else brush.rect(x - size, y - size, 2 * size, 2 * size);
      brush.fillStyle = chosen ? edge : fill;
      brush.strokeStyle = edge;
      brush.lineWidth = 1.5;
      brush.fill();
      brush.stroke();
      this.#handles.push({ x, y, shape: number, ...grip });
    };
    if (grows(shape) && number === this.#chosen) {
      const pairs = shape.places.length - (shape.kind === "polygon" ? 0 : 1);
      for (let at = 0; at < pairs; at += 1) put(this.#between(shape, at), { between: at }, 3, "ring");
    }
    if (shape.kind === "circle" && shape.reach_m) put(beyond(shape.places[0], shape.reach_m, Math.PI / 2), { reach: true }, 6, "diamond");
    shape.places.forEach((place, point) => put(place, { point }, number === this.#chosen && point === this.#point ? 6 : 4.5));
  }

  #paintDrawing(brush, view) {
    const { kind, places } = this.#drawing;
    brush.strokeStyle = brush.fillStyle = colour("ink");
    brush.lineWidth = 2;
    if (places.length) {
      brush.beginPath();
      trace(brush, view, kind === "polygon" && places.length > 2 ? ring(places) : way(places));
      brush.stroke();
      for (const [x, y] of places.map(view.point)) brush.fillRect(x - 4, y - 4, 8, 8);
    }
    if (document.activeElement !== this.#map.getCanvas()) return;
    const [x, y] = [view.width / 2, view.height / 2];
    brush.beginPath();
    for (const [right, down] of [[0, 1], [0, -1], [1, 0], [-1, 0]]) {
      brush.moveTo(x + 4 * right, y + 4 * down);
      brush.lineTo(x + 14 * right, y + 14 * down);
    }
    brush.stroke();
  }
}
