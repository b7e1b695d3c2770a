// Asking for values, and asking again before something that cannot be taken back.

import { h } from "./dom.js";
import { fields } from "./fields.js";
import { t } from "./words.js";

// Asks in a dialog. What is typed stays there until the node has taken it; Escape sends nothing.
//   title, subject: what it is about
//   wanted: {name: type of value}; known: {name: value that stands}
//   choices: {name: [[value, words], …]}; labels: {name: words}, where the catalogue has none
//   hints: {name: what stands there until it is changed}
//   sure: what is asked again, from the values, in a second step: words, or what shows them, or a
//   promise of that; left out: one step
//   final: what is true once it is done; left out: that it is signed
//   send(values): what is done
export function ask({ title, subject = "", wanted = {}, known = {}, choices = {}, labels = {}, hints = {}, sure = null, final = t("ask.sure"), verb, send, danger = false }) {
  const problem = h("p", { class: "problem", role: "alert" });
  const box = h("div", { class: "fields" });
  const read = fields(box, wanted, { known, choices, labels, hints });
  const dialog = h("dialog", { "aria-labelledby": "ask-title", onclose: () => dialog.remove() });
  const go = h("button", { class: sure ? "first" : danger ? "danger" : "first" }, sure ? t("ask.next") : verb);
  const form = h("form", { onsubmit: onSubmit },
    h("h2", { id: "ask-title" }, title),
    subject && h("p", { class: "said" }, subject), box, problem,
    h("div", { class: "row" }, go, cancel()));
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
  box.querySelector("input:not([readonly]), select")?.focus();

  let busy = false; // a place is read by the node: pressed again meanwhile, nothing is sent twice
  async function onSubmit(event) {
    event.preventDefault();
    if (busy) return;
    busy = true;
    problem.textContent = "";
    try {
      const values = await read();
      if (sure) again(values, await sure(values));
      else await done(values, go);
    } catch (error) {
      problem.textContent = error.message;
    } finally {
      busy = false;
    }
  }

  // The second step says in words what will be sent; the way back is where the hand rests.
  function again(values, told) {
    const problem2 = h("p", { class: "problem", role: "alert" });
    const yes = h("button", { class: "danger", type: "button" }, verb);
    const back = h("button", { type: "button", onclick: () => dialog.replaceChildren(form) }, t("ask.back"));
    yes.addEventListener("click", async () => {
      try {
        await done(values, yes);
      } catch (error) {
        problem2.textContent = error.message;
      }
    });
    dialog.replaceChildren(h("h2", { id: "ask-title" }, title), typeof told === "string" ? h("p", { class: "said" }, told) : told,
      h("p", { class: "permission" }, final), problem2, h("div", { class: "row" }, back, yes, cancel()));
    back.focus();
  }

  async function done(values, button) {
    button.disabled = true;
    try {
      await send(values);
      dialog.close();
    } finally {
      button.disabled = false;
    }
  }

  function cancel() {
    return h("button", { type: "button", onclick: () => dialog.close() }, t("ask.cancel"));
  }
}
