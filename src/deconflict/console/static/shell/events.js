// Server-sent events read by fetch: EventSource of browsers cannot send a token.
// A broken stream resumes behind the last event seen, so none is lost and none comes twice.

import { headers } from "./node.js";

const SILENCE_MS = 15_000; // the node beats every 10 s
const AGAIN_MS = 1_000;

// onState("live" | "lost" | "refused"); onGap() when what was missed is not known and all has to
// be read anew.
export function follow(last, onEvent, onState, onGap) {
  let after = last;
  run();

  async function run() {
    for (let first = true; ; first = false) {
      try {
        await once(first);
      } catch (error) {
        if (error.status === 401 || error.status === 403) return onState("refused");
        if (!(error instanceof TypeError || error.name === "AbortError" || error.status)) console.error(error);
      }
      onState("lost");
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  async function once(first) {
    const attempt = new AbortController();
    // A laptop that slept wakes with a timer long past: the stream is begun again at once.
    let timer = setTimeout(() => attempt.abort(), SILENCE_MS);
    try {
      const response = await fetch(`/api/v1/events?after=${after}`, { headers: headers(), signal: attempt.signal, cache: "no-store" });
      if (!response.ok) throw Object.assign(new Error("refused"), { status: response.status });
      onState("live");
      if (!first) onGap();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(timer);
        timer = setTimeout(() => attempt.abort(), SILENCE_MS);
        const frames = (text + value).split("\n\n");
        text = frames.pop();
        frames.forEach(take);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  function take(frame) {
    const fields = {};
    for (const line of frame.split("\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
    }
    if (fields.event === "session_ended") throw Object.assign(new Error("ended"), { status: 401 });
    if (!fields.id || fields.event === "resume" || Number(fields.id) <= after) return;
    after = Number(fields.id);
    onEvent({ id: after, event: fields.event, data: JSON.parse(fields.data) });
  }
}
