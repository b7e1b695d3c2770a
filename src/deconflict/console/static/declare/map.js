// The draft on a map, beside its text: drawn or pasted, it is the same. What is drawn or moved is
// written into the text, which the node then reads; the points stand in a list for the keyboard.

import { h } from "../shell/dom.js";
import { boundsOfAll, thingOf } from "../map/things.js";
import { t } from "../shell/words.js";
import { STEPS, position, shapesOf, writable, written } from "./shapes.js";

const KINDS = ["polygon", "circle", "corridor"];
const MOST_POINTS = 100; // of one shape that are listed
const FAR = 10; // pixels a step is with Shift

// write({ text, fields }) puts a change into the form; undo() takes the last one back.
export function draftMap({ frame, world }, { write, undo }) {
  const box = h("div", { class: "picture" });
  const points = h("ul", { class: "row points" });
  const status = h("p", { class: "soft", role: "status" });
  const chosen = h("p", { class: "soft" });
  const other = (sign, step) => h("button", { type: "button", hidden: true, "aria-label": t(step < 0 ? "declare.shape_before" : "declare.shape_after"), onclick: () => hand.choose(shown.number + step, 0) }, sign);
  const [before, after] = [other("‹", -1), other("›", 1)];
  const buttons = KINDS.map((kind) => h("button", { type: "button", "aria-pressed": "false", data: { kind }, onclick: () => hand?.draw(drawing === kind ? null : kind) }, t(`declare.draw_${kind}`)));
  const done = h("button", { type: "button", class: "first", hidden: true, onclick: () => hand.finish() }, t("declare.draw_done"));
  const back = h("button", { type: "button", disabled: true, onclick: () => undo() }, t("declare.undo"));
  let hand = null;
  let drawing = null;
  let read = null;
  let closed = false;
  let shown = { number: 0, point: 0 };
  let mine = false; // the text now read was written by a change here

  const told = {
    changed(shapes) {
      mine = true;
      back.disabled = false;
      write(written(read, shapes));
    },
    chose: list,
    drawing(kind, count) {
      drawing = kind;
      for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
      done.hidden = !kind || kind === "circle";
      status.textContent = kind ? t(`declare.drawing_${kind}`, { count }) : t("declare.map_how");
    },
  };
  told.drawing(null, 0);
  import("./hand.js").then(async ({ Hand }) => {
    if (closed) return;
    hand = await Hand.open(box, boundsOfAll(world.declarations.map(thingOf)), told);
    if (closed) return hand?.end();
    if (!hand) return box.replaceChildren(h("p", { class: "soft" }, t("map.no_picture")));
    if (read) show(read);
  }).catch(frame.problem);

  return {
    node: h("div", { class: "stack" }, h("div", { class: "row" }, buttons, done, back), status, box, h("div", { class: "row" }, before, chosen, after), points),
    // Shows what the node read; null when there is nothing. A text that was not understood is not
    // drawn over.
    show,
    undoes: (may) => (back.disabled = !may),
    end() {
      closed = true;
      hand?.end();
    },
  };

  function show(answer, { unread = false } = {}) {
    read = answer;
    // Our own profile says of each draft what no drawing knows, as the times of a flight.
    for (const button of buttons) button.disabled = unread || answer?.format === "GEOJSON_PROFILE";
    if (!hand) return;
    const shapes = answer ? shapesOf(answer) : [];
    const fixed = answer !== null && !writable(answer);
    hand.set(shapes, { fixed, look: !mine && shapes.length > 0 });
    mine = false;
    if (fixed) status.textContent = t("declare.map_fixed");
  }

  // The points of the chosen shape: each is moved by the arrow keys, as it would be on the map.
  function list(shape, point, number, count) {
    shown = { number, point };
    chosen.textContent = shape ? t("declare.points", { number: number + 1, of: count, count: shape.places.length }) : "";
    for (const button of [before, after]) button.hidden = count < 2;
    const places = shape?.places.slice(0, MOST_POINTS) ?? [];
    while (points.children.length > places.length) points.lastChild.remove();
    while (points.children.length < places.length) points.append(pointButton(points.children.length));
    places.forEach((place, at) => {
      const button = points.children[at].firstChild;
      const text = `${at + 1} · ${position(place)}`;
      if (button.textContent !== text) button.textContent = text;
      button.setAttribute("aria-pressed", String(at === point));
    });
    if (points.contains(document.activeElement)) points.children[point]?.firstChild.focus();
  }

  function pointButton(at) {
    const take = () => at !== shown.point && hand.choose(shown.number, at);
    return h("li", {}, h("button", { type: "button", class: "figure", onfocus: take, onclick: take, onkeydown: key }));
  }

  function key(event) {
    const far = event.shiftKey ? FAR : 1;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key in STEPS) hand.nudge(...STEPS[event.key].map((step) => step * far));
    else if (event.key === "Delete") hand.remove();
    else if (event.key === "Insert") hand.insert();
    else if (event.key === "+" || event.key === "-") hand.widen(event.key === "+" ? 1 : -1);
    else return;
    event.preventDefault();
  }
}
