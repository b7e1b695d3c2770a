// Building the page. Whatever a peer wrote goes in by textContent; there is no other way in here.

// An element: h("button", { class: "quiet", type: "button", onclick: send }, "Send")
export function h(name, props = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(node.dataset, value);
    else if (key === "class") node.className = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

export function s(name, props = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(props)) if (value !== null && value !== undefined) node.setAttribute(key, value);
  node.append(...children.flat().filter(Boolean));
  return node;
}

// Keeps the children of a list in step with items, each drawn anew only when it is another object:
// an item is replaced when it changes, never changed. Focus stays where it was.
export class Rows {
  #parent; #key; #draw; #rows = new Map();

  // draw(item, node) returns the node of an item; node is its earlier one, or undefined.
  constructor(parent, key, draw) {
    [this.#parent, this.#key, this.#draw] = [parent, key, draw];
  }

  show(items) {
    const focused = document.activeElement?.closest?.("[data-key]")?.dataset.key;
    const kept = new Map();
    let before = this.#parent.firstChild;
    for (const item of items) {
      const key = this.#key(item);
      const row = this.#rows.get(key);
      const node = row?.item === item ? row.node : this.#draw(item, row?.node);
      if (row && row.node !== node) {
        if (before === row.node) before = node;
        row.node.replaceWith(node);
      }
      kept.set(key, { item, node });
      if (node === before) before = before.nextSibling;
      else this.#parent.insertBefore(node, before);
    }
    for (const [key, { node }] of this.#rows) if (!kept.has(key)) node.remove();
    this.#rows = kept;
    if (focused && document.activeElement === document.body) {
      this.#parent.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    }
  }

  // Draws every row anew, as after a change of language.
  redraw() {
    for (const row of this.#rows.values()) row.item = undefined;
  }
}
