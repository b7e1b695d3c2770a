// The record taken away as a file, and any such file verified: by the node, with the keys it has
// pinned. The file goes from the disk to the node; this page never has it whole in its memory.

import { iso, now } from "../shell/clock.js";
import { h } from "../shell/dom.js";
import { download, may, post } from "../shell/node.js";
import { t } from "../shell/words.js";
import { Following } from "./inquiry.js";
import { provenFile } from "./proven.js";

export function filePart({ world, frame }) {
  const line = h("select", {}, world.lines.map((each) => h("option", { value: each.line_id }, each.peer)));
  const chosen = h("input", { type: "file", accept: ".deconflict", onchange: () => (again.disabled = !chosen.files.length) });
  const again = h("button", { disabled: true }, t("record.verify_file"));
  const own = h("button", { type: "button", class: "first", hidden: true, onclick: frame.act(() => verify(taken)) }, t("record.verify_own"));
  const bar = h("progress", { hidden: true, "aria-label": t("record.progress") });
  const off = h("button", { type: "button", hidden: true, onclick: () => leaving?.abort() }, t("record.call_off"));
  const said = h("p", { role: "status" });
  const following = new Following();
  const found = h("div", { class: "stack", "aria-live": "polite" });
  let taken = null; // the file as the browser keeps it, not its bytes
  let leaving = null;
  const node = h("section", { "aria-labelledby": "h-file" }, h("h2", { id: "h-file" }, t("record.take")),
    may("export") && world.lines.length > 0 && h("form", { class: "row asked", onsubmit: frame.act(take) },
      h("label", {}, t("field.line"), line), h("button", { class: "first" }, t("record.export")), bar, off, said, own),
    h("form", { class: "row asked", onsubmit: frame.act(() => verify(chosen.files[0])) },
      h("label", {}, t("record.file"), chosen), again),
    h("p", { class: "soft" }, t("record.by_pinned")), following.node, found, h("p", { class: "soft" }, t("record.verify")));
  return { node, leave: () => (leaving?.abort(), following.leave()) };

  async function take() {
    own.hidden = true;
    const { peer, own_seq: sent, peer_seq: heard } = world.line(line.value);
    const asked = await post(`/lines/${line.value}/exports`, { what: "RECORD" });
    if (asked.state === "HELD") return void (said.textContent = t("record.held"));
    leaving = new AbortController();
    [bar.hidden, off.hidden] = [false, false];
    bar.removeAttribute("value");
    let lines = 0;
    const onBytes = (bytes, piece) => {
      // A line for each message; receipts and checkpoints follow, nobody knows how many.
      for (const byte of piece) if (byte === 10) lines += 1;
      if (lines <= sent + heard) [bar.max, bar.value] = [sent + heard, lines];
      else bar.removeAttribute("value");
      said.textContent = t("record.bytes", { kb: Math.round(bytes / 1000) });
    };
    const name = `${peer}-${iso(now()).slice(0, 10)}.deconflict`;
    try {
      taken = await download(`/lines/${line.value}/bundle`, name, onBytes, leaving.signal);
      own.hidden = false;
    } catch (error) {
      if (!leaving.signal.aborted) throw error;
      said.textContent = t("record.called_off");
    } finally {
      [bar.hidden, off.hidden] = [true, true];
    }
  }

  async function verify(file) {
    if (!file) return;
    found.replaceChildren();
    const view = await following.follow(() => post("/inquiries/verify", { size_bytes: file.size }), file);
    found.replaceChildren(...(view ? provenFile(view, file.name ?? "") : [h("p", {}, t("record.called_off"))]));
  }
}
