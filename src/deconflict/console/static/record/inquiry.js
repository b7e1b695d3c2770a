// What takes the node long: begun, followed by a bar, called off.

import { h } from "../shell/dom.js";
import { call, get } from "../shell/node.js";
import { named, t } from "../shell/words.js";

const EVERY_MS = 300;
const OCTETS = "application/octet-stream";

// A place on the screen where one inquiry after the other is followed.
export class Following {
  #bar = h("progress", { "aria-label": t("record.progress") });
  #said = h("span");
  #off = null;
  node = h("div", { class: "row", hidden: true }, this.#bar, h("span", { role: "status" }, this.#said),
    h("button", { type: "button", onclick: () => this.leave() }, t("record.call_off")));

  // begin() asks the node; a file is brought to it as its bytes lie on the disk, and read there.
  // Returns the inquiry at its end, null when it was called off.
  async follow(begin, file = null) {
    this.leave();
    const off = (this.#off = new AbortController());
    this.#show({ stage: "WAITING", done: 0, total: 0 });
    try {
      let view = await begin();
      const path = `/inquiries/${view.inquiry_id}`;
      off.signal.addEventListener("abort", () => call("DELETE", path).catch(() => {}), { once: true }); // it ends by itself, too
      if (off.signal.aborted) return null;
      const refused = file && call("PUT", `${path}/file`, file, { type: OCTETS, signal: off.signal }).then(() => null, (error) => error);
      while (view.state === "RUNNING") {
        await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
        if (off.signal.aborted) return null;
        try {
          view = await get(path);
        } catch (error) {
          if (off.signal.aborted) return null;
          throw (await refused) ?? error; // why the file was not taken, if that is why
        }
        this.#show(view);
      }
      return view;
    } finally {
      if (this.#off === off) {
        this.#off = null;
        this.node.hidden = true;
      }
    }
  }

  // Calls off what is followed, if anything is.
  leave() {
    this.#off?.abort();
  }

  #show({ stage, done, total }) {
    this.node.hidden = false;
    if (total) [this.#bar.max, this.#bar.value] = [total, done];
    else this.#bar.removeAttribute("value");
    this.#said.textContent = named("stage", stage);
  }
}
