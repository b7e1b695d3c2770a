// A drawing of the node, made anew element by element. Only what draws is taken over: a name that is
// not listed, with all that is in it, is left out, and so is whatever refers to anything outside.

import { s } from "../shell/dom.js";

const ELEMENTS = new Set(["svg", "g", "path", "rect", "circle", "line", "text", "tspan", "clipPath"]);
const ATTRIBUTES = new Set(["viewBox", "id", "d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height", "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity",
  "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "transform", "font-size", "font-family", "font-weight", "text-anchor", "paint-order", "shape-rendering", "clip-path"]);

// label: what it shows, for who does not see it.
export function drawing(text, label) {
  const read = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  if (read.localName !== "svg") throw new Error("this drawing cannot be read");
  const node = copy(read);
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", label);
  return node;
}

function copy(read) {
  const kept = [...read.attributes].filter(({ name, value }) => ATTRIBUTES.has(name) && (!value.includes("url(") || /^url\(#[\w-]+\)$/.test(value)));
  const children = [...read.childNodes].flatMap((child) => {
    if (child.nodeType === Node.TEXT_NODE) return child.data.trim() ? [child.data] : [];
    return ELEMENTS.has(child.localName) ? [copy(child)] : [];
  });
  return s(read.localName, Object.fromEntries(kept.map(({ name, value }) => [name, value])), ...children);
}
