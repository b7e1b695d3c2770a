// What moves is drawn on a canvas above the map: a move of the slider draws some symbols, and not
// the map. North is up and the map is flat, so a place is where two lines of arithmetic put it.

import { mercatorX, mercatorY } from "./sphere.js";

const TILE = 512; // pixels of the world at zoom 0

export class Overlay {
  #map; #canvas; #brush; #paint; #frame = 0; #size = { width: 0, height: 0 };

  // paint(brush, view) draws all of it; view puts places: view.x(mercator x), view.y(mercator y).
  constructor(map, paint) {
    [this.#map, this.#paint] = [map, paint];
    this.#canvas = Object.assign(document.createElement("canvas"), { className: "overlay", ariaHidden: "true" });
    map.getCanvasContainer().after(this.#canvas);
    // Drawn by the processor: little changes, and many a watch has no graphics card that could.
    this.#brush = this.#canvas.getContext("2d", { willReadFrequently: true });
    map.on("move", this.draw);
    map.on("resize", this.#fit);
    this.#fit();
  }

  // Asks for drawing, once in the next frame however often it is asked.
  draw = () => {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#brush.clearRect(0, 0, this.#size.width, this.#size.height);
      this.#paint(this.#brush, this.view());
    });
  };

  view() {
    const { lng, lat } = this.#map.getCenter();
    const world = TILE * 2 ** this.#map.getZoom();
    const [east, south] = [mercatorX(lng), mercatorY(lat)];
    const { width, height } = this.#size;
    const x = (at) => (at - east - Math.round(at - east)) * world + width / 2; // of its copies the one in sight
    const y = (at) => (at - south) * world + height / 2;
    const latitude = (pixel) => (2 * Math.atan(Math.exp((0.5 - south - (pixel - height / 2) / world) * 2 * Math.PI)) - Math.PI / 2) * (180 / Math.PI);
    return { x, y, width, height, world, latitude, point: ([lon, north]) => [x(mercatorX(lon)), y(mercatorY(north))] };
  }

  end() {
    cancelAnimationFrame(this.#frame);
    this.#map.off("move", this.draw);
    this.#map.off("resize", this.#fit);
    this.#canvas.remove();
  }

  #fit = () => {
    const { clientWidth: width, clientHeight: height } = this.#map.getContainer();
    const ratio = devicePixelRatio || 1;
    [this.#canvas.width, this.#canvas.height] = [width * ratio, height * ratio];
    this.#brush.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#size = { width, height };
    this.draw();
  };
}

// A line through places, each beside the one before also where the world begins again.
export function trace(brush, view, places) {
  let before = null;
  for (const place of places) {
    let [x, y] = view.point(place);
    if (before !== null) x -= Math.round((x - before) / view.world) * view.world;
    if (before === null) brush.moveTo(x, y);
    else brush.lineTo(x, y);
    before = x;
  }
}
