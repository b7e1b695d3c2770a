// Server-sent events read by fetch: EventSource of browsers cannot send a token.
// Calls onEvent({id, event, data}) and onState("live" | "lost"); resumes by the last id it saw.

const SILENCE_MS = 15_000; // the node beats every 10 s

export function follow(token, onEvent, onState) {
  let after = null; // nothing seen yet: from now on
  const stopped = new AbortController();
  run().catch((error) => console.error(error));
  return () => stopped.abort();

  async function run() {
    while (!stopped.signal.aborted) {
      const attempt = new AbortController();
      const end = () => attempt.abort();
      stopped.signal.addEventListener("abort", end);
      try {
        await once(attempt);
      } catch (error) {
        if (error.status === 401 || error.status === 403) return onState("refused");
      }
      stopped.signal.removeEventListener("abort", end);
      if (stopped.signal.aborted) return;
      onState("lost");
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  async function once(attempt) {
    let timer = setTimeout(() => attempt.abort(), SILENCE_MS);
    try {
      const response = await fetch(`/api/v1/events${after === null ? "" : `?after=${after}`}`, {
        headers: { Authorization: `Bearer ${token}` },
        signal: attempt.signal,
        cache: "no-store",
      });
      if (!response.ok) throw Object.assign(new Error("refused"), { status: response.status });
      onState("live");
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(timer);
        timer = setTimeout(() => attempt.abort(), SILENCE_MS);
        text += value;
        const frames = text.split("\n\n");
        text = frames.pop();
        for (const frame of frames) take(frame);
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
    if (!fields.id || fields.event === "resume") return;
    after = Number(fields.id);
    onEvent({ id: after, event: fields.event, data: JSON.parse(fields.data) });
  }
}
