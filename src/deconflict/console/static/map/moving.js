// Where each of thousands is at an instant: flat arrays, filled once, asked at every move of the
// slider. Of a trajectory only the leg that was found last, and those beside it, are looked at.

import { angle, mercatorX, mercatorY, place, vector } from "./sphere.js";

export class Moving {
  #flights; #at; #vectors; #apart; #heights; #first; #leg;
  x; y; heading; height; // of the flights under way, in the order of `under`
  under; // their number, and which they are
  count = 0;

  // flights: [{ waypoints: [{ at, place, height }] }], each with times that rise.
  constructor(flights) {
    this.#flights = flights;
    const points = flights.reduce((sum, { waypoints }) => sum + waypoints.length, 0);
    this.#at = new Float64Array(points);
    this.#vectors = new Float64Array(3 * points);
    this.#apart = new Float64Array(points);
    this.#heights = new Float64Array(points);
    this.#first = new Uint32Array(flights.length + 1);
    this.#leg = new Uint32Array(flights.length);
    let next = 0;
    flights.forEach(({ waypoints }, number) => {
      this.#first[number] = this.#leg[number] = next;
      waypoints.forEach((point, at) => {
        const here = vector(point.place);
        this.#at[next] = point.at;
        this.#heights[next] = point.height;
        this.#vectors.set(here, 3 * next);
        if (at) this.#apart[next - 1] = angle(this.#vectors.subarray(3 * next - 3, 3 * next), here);
        next += 1;
      });
    });
    this.#first[flights.length] = next;
    for (const name of ["x", "y", "heading", "height"]) this[name] = new Float64Array(flights.length);
    this.under = new Uint32Array(flights.length);
  }

  // Finds which are under way, and where.
  show(at) {
    this.count = 0;
    for (let number = 0; number < this.#flights.length; number += 1) {
      const [first, last] = [this.#first[number], this.#first[number + 1] - 1];
      if (!(this.#at[first] <= at && at <= this.#at[last])) continue;
      let leg = this.#leg[number];
      while (leg > first && this.#at[leg] > at) leg -= 1;
      while (leg < last - 1 && this.#at[leg + 1] < at) leg += 1;
      this.#leg[number] = leg;
      this.#put(this.count, leg, Math.min(1, (at - this.#at[leg]) / (this.#at[leg + 1] - this.#at[leg] || 1)));
      this.under[this.count] = number;
      this.count += 1;
    }
  }

  #put(slot, leg, share) {
    const [v, apart] = [this.#vectors, this.#apart[leg]];
    const [a, b] = [3 * leg, 3 * leg + 3];
    const sine = Math.sin(apart);
    const [from, to] = sine < 1e-12 ? [1 - share, share] : [Math.sin((1 - share) * apart) / sine, Math.sin(share * apart) / sine];
    const [back, ahead] = sine < 1e-12 ? [-1, 1] : [-Math.cos((1 - share) * apart), Math.cos(share * apart)];
    const [x, y, z] = [from * v[a] + to * v[b], from * v[a + 1] + to * v[b + 1], from * v[a + 2] + to * v[b + 2]];
    const [lon, lat] = place([x, y, z]);
    this.x[slot] = mercatorX(lon);
    this.y[slot] = mercatorY(lat);
    // The direction of flight: how the place changes, to the east and to the north.
    this.heading[slot] = Math.atan2(x * (back * v[a + 1] + ahead * v[b + 1]) - y * (back * v[a] + ahead * v[b]), back * v[a + 2] + ahead * v[b + 2]);
    this.height[slot] = this.#heights[leg] + (this.#heights[leg + 1] - this.#heights[leg]) * share;
  }
}
