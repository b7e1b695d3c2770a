// A sheet as a page to print: the same values of which the node makes the PDF. Where it cannot make
// one the page says so, and is printed itself.

import { h } from "../shell/dom.js";
import { download, get } from "../shell/node.js";
import { t } from "../shell/words.js";
import { drawing } from "./drawing.js";

const RIGHT_TO_LEFT = new Set(["ar", "fa", "he"]);
const direction = (language) => (RIGHT_TO_LEFT.has(language) ? "rtl" : "ltr");

const said = (name, words) => words.map((each) => h(name, { lang: each.language, dir: direction(each.language) }, each.text));
const inRow = (words) => words.flatMap((each, at) => [at ? " · " : null, h("bdi", { lang: each.language, dir: direction(each.language) }, each.text)]);
const exact = (text) => h("span", { class: "figure", dir: "ltr" }, text);

const BLOCKS = {
  heading: (block) => h("h2", {}, inRow(block.said)),
  paragraph: (block) => h("div", { class: block.strong ? "strong" : null }, said("p", block.said)),
  facts: (block) => h("dl", { class: "facts" }, block.facts.flatMap((fact) => [h("dt", {}, inRow(fact.name)), h("dd", {}, fact.exact ? exact(fact.value[0].text) : inRow(fact.value))])),
  lexicon: (block) => h("table", {}, h("tbody", {}, block.rows.map(([sign, words]) => h("tr", {}, h("th", { scope: "row" }, exact(sign)), said("td", words))))),
  columns: (block) => h("div", { class: "two even" }, block.columns.map((column) => h("div", {}, said("p", column)))),
  picture: (block) => h("figure", { class: "drawn" }, drawing(block.svg, block.said[0].text), h("figcaption", {}, said("p", block.said))),
  code: (block) => h("div", { class: "row code" }, drawing(block.svg, block.said[0].text), h("div", { class: "grow" }, said("p", block.said), block.lines.map((line) => h("p", {}, exact(line))))),
  blanks: (block) => h("div", { class: `blanks across-${block.across}` }, block.names.map((name) => h("p", {}, inRow(name)))),
};

// path: of the sheet at the node, with what it is asked by. choices: {parameter: [[value, words], …]}.
export async function openSheet(main, frame, path, { choices = {} } = {}) {
  const page = h("article", { class: "sheet" });
  const bar = h("div", { class: "row no-print" });
  const picked = Object.fromEntries(Object.entries(choices).map(([name, options]) => [name, options[0][0]]));
  const begun = location.hash;
  await draw();
  if (location.hash === begun) main.replaceChildren(h("section", { class: "stack" }, bar, page)); // nobody went on meanwhile

  async function draw() {
    const [bare, query = ""] = path.split("?");
    const asked = new URLSearchParams([...new URLSearchParams(query), ...Object.entries(picked)]);
    const { sheet, pdf } = await get(`${bare}?${asked}`);
    const pick = (name) => h("select", { "aria-label": t(`sheet.${name}`), onchange: frame.act((event) => (picked[name] = event.target.value, draw())) },
      choices[name].map(([value, words]) => h("option", { value, selected: value === picked[name] }, words)));
    bar.replaceChildren(
      h("button", { type: "button", onclick: () => dispatchEvent(new HashChangeEvent("hashchange")) }, t("ask.back")),
      ...(pdf ? [h("button", { type: "button", class: "first", onclick: frame.act(() => download(`${bare}?${asked}&as=pdf`, `${sheet.name}.pdf`)) }, t("sheet.pdf"))] : []),
      h("button", { type: "button", class: pdf ? null : "first", onclick: () => print() }, t("sheet.print")),
      ...Object.keys(choices).map(pick),
      ...(pdf ? [] : [h("p", { class: "permission", role: "status" }, t("sheet.no_pdf"))]));
    page.lang = sheet.languages[0];
    page.dir = direction(sheet.languages[0]);
    page.replaceChildren(
      ...(sheet.mark ? [h("p", { class: "mark" }, sheet.mark)] : []), ...said("h1", sheet.title),
      ...sheet.blocks.map((block) => BLOCKS[block.kind](block)),
      h("p", { class: "figure soft" }, sheet.made_utc));
  }
}
