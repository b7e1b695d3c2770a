// A long table of which only the rows in sight are in the page, and some around them. Every row has
// the same height, so that the bar beside it tells the truth; rows that leave come back as others.

import { h } from "./dom.js";

const SPARE = 3; // rows kept above and below those in sight

export class Scrolled {
  #box; #body; #above; #below; #rowPx; #make; #fill; #height = 0;
  #items = []; #first = 0; #rows = []; // the rows of items from first on: { node, item }

  // make() returns a new row; fill(row, item, at) writes an item into one.
  constructor(box, table, columns, rowPx, make, fill) {
    [this.#box, this.#rowPx, this.#make, this.#fill] = [box, rowPx, make, fill];
    const space = () => h("tr", { "aria-hidden": "true" }, h("td", { colspan: String(columns) }));
    [this.#above, this.#body, this.#below] = [space(), h("tbody"), space()];
    table.append(h("tbody", { class: "space" }, this.#above), this.#body, h("tbody", { class: "space" }, this.#below));
    box.addEventListener("scroll", () => this.#place(), { passive: true });
    new ResizeObserver(([{ contentRect }]) => {
      this.#height = contentRect.height;
      this.#place();
    }).observe(box);
  }

  show(items) {
    this.#items = items;
    this.#place();
  }

  // Writes every row in sight anew.
  refresh() {
    this.#rows.forEach((row, at) => this.#fill(row.node, row.item, this.#first + at));
  }

  // Brings an item into sight.
  reveal(at) {
    const head = this.#box.querySelector("thead")?.offsetHeight ?? 0;
    const [top, bottom] = [at * this.#rowPx, (at + 1) * this.#rowPx + head];
    if (top < this.#box.scrollTop) this.#box.scrollTop = top;
    else if (bottom > this.#box.scrollTop + this.#height) this.#box.scrollTop = bottom - this.#height;
    this.#place();
  }

  // How many rows are in sight at once.
  get page() {
    return Math.max(1, Math.floor(this.#height / this.#rowPx) - 1);
  }

  #place() {
    const most = this.#items.length;
    const first = Math.max(0, Math.min(most - 1, Math.floor(this.#box.scrollTop / this.#rowPx) - SPARE));
    const last = Math.min(most, first + Math.ceil((this.#height || 420) / this.#rowPx) + 2 * SPARE);
    this.#put(first, last);
    this.#space(this.#above, first);
    this.#space(this.#below, most - last);
  }

  // Rows that stay in sight stay where they are; those that left are written anew at the other end.
  #put(first, last) {
    const stays = (_, at) => first <= this.#first + at && this.#first + at < last;
    const kept = this.#rows.filter(stays);
    const free = this.#rows.filter((row, at) => !stays(row, at));
    for (const { node } of free) node.remove(); // so that it is not those that stay which are moved
    const keptFrom = Math.max(first, this.#first);
    const rows = Array.from({ length: Math.max(0, last - first) }, (_, at) => kept[first + at - keptFrom] ?? free.pop() ?? { node: this.#make() });
    let before = this.#body.firstChild;
    rows.forEach((row, at) => {
      if (row.node === before) before = before.nextSibling;
      else this.#body.insertBefore(row.node, before);
      const item = this.#items[first + at];
      if (row.item !== item || row.at !== first + at) this.#fill(row.node, item, first + at);
      [row.item, row.at] = [item, first + at];
    });
    [this.#rows, this.#first] = [rows, first];
  }

  #space(row, count) {
    row.hidden = count <= 0;
    row.firstChild.style.height = `${Math.max(0, count) * this.#rowPx}px`;
  }
}
