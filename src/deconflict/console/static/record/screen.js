// The record: found by word and time, what each side knew, taken away and verified.

import { h } from "../shell/dom.js";
import { filePart } from "./file.js";
import { knownPart } from "./known.js";
import { searchPart } from "./search.js";

export function open(main, desk) {
  const parts = [searchPart(desk), knownPart(desk), filePart(desk)];
  main.replaceChildren(h("div", { class: "stack" }, parts.map((part) => part.node)));
  return () => parts.forEach((part) => part.leave());
}
