// Loads the console. A node that goes down while it is loaded is waited for.

const AGAIN_MS = 2_000;

// Only where a browser has them: at loopback, and by TLS.
navigator.serviceWorker?.register("/worker.js", { updateViaCache: "none" }).catch(console.warn);

import("./main.js").catch((error) => {
  console.warn(error);
  document.body.replaceChildren(Object.assign(document.createElement("p"), { role: "alert", textContent: `The console was not loaded whole (${error.message}). It is tried again.` }));
  setTimeout(() => location.reload(), AGAIN_MS);
});
