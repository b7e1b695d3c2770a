// Calls to the node, as the account that is logged in. The node decides; a refusal is shown whole.
//
// The session is a cookie that no script can read, and a token that only this page's origin can:
// neither opens anything alone. The token is kept for all tabs of this origin.

import { t } from "./words.js";

const KEPT = "session";
export let session = JSON.parse(localStorage.getItem(KEPT) ?? "null");
let whenEnded = () => {};

export class Refusal extends Error {
  constructor(status, { type, problem, given, expected, remedy }) {
    super([problem, given, expected, remedy].filter(Boolean).join(" · "));
    Object.assign(this, { status, type, problem, given, expected, remedy });
  }
}

// The node was not reached, or went away before it answered: no defect, and it comes back.
export class NoAnswer extends Error {
  constructor(asked, cause) {
    super(t(asked ? "frame.no_answer" : "frame.unsure"), { cause });
  }
}

async function reached(method, work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // stopped by the page itself
    throw new NoAnswer(method === "GET", error);
  }
}

export const onSessionEnd = (work) => (whenEnded = work);
export const may = (action) => session?.actions?.includes(action) ?? false;
export const headers = () => (session ? { "Deconflict-CSRF": session.csrf_token } : {});

export async function call(method, path, body, { type = "application/json", signal } = {}) {
  const [response, told] = await reached(method, async () => {
    const answer = await fetch(`/api/v1${path}`, {
      method,
      headers: { ...headers(), ...(body !== undefined && { "Content-Type": type }) },
      body: body === undefined ? undefined : type === "application/json" ? JSON.stringify(body) : body,
      cache: "no-store",
      credentials: "same-origin",
      signal,
    });
    return [answer, await answer.json()];
  });
  if (response.ok) return told;
  if (response.status === 401 && session) end();
  throw new Refusal(response.status, told.error);
}

// Takes a file from the node, gives it to the person and returns it; onBytes(count, piece) tells how
// far it is. The browser keeps it, on the disk where it is large; nothing here holds its bytes.
export async function download(path, name, onBytes = () => {}, signal = undefined) {
  const response = await reached("GET", () => fetch(`/api/v1${path}`, { headers: headers(), credentials: "same-origin", cache: "no-store", signal }));
  if (!response.ok) throw new Refusal(response.status, (await response.json()).error);
  let size = 0;
  const counted = response.body.pipeThrough(new TransformStream({
    transform(piece, out) {
      onBytes((size += piece.length), piece);
      out.enqueue(piece);
    },
  }));
  const file = await new Response(counted).blob();
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return file;
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);

export async function begin(account, password) {
  keep(await post("/session", { account, password, browser: true }));
}

// A passkey names its account itself; the browser asks for finger, face or PIN.
export async function beginByPasskey() {
  const options = await post("/session/passkey/options");
  const found = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  keep(await post("/session/passkey", { credential: found.toJSON() }));
}

export async function makePasskey(name, password) {
  const options = await post("/me/passkeys/options", { password });
  const made = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  return post("/me/passkeys", { name, credential: made.toJSON() });
}

// What the account may do and reads in; asked for anew at each load, since either may change.
export async function introduce() {
  const me = await get("/me");
  keep({ ...session, ...me });
  return me;
}

export async function logOut() {
  await call("DELETE", "/session");
  end();
}

export function end() {
  if (!session) return;
  session = null;
  localStorage.removeItem(KEPT);
  whenEnded();
}

function keep(granted) {
  session = granted;
  localStorage.setItem(KEPT, JSON.stringify(granted));
}

// Logged out in another tab is logged out here.
addEventListener("storage", ({ key, newValue }) => {
  if (key === KEPT && newValue === null && session) {
    session = null;
    whenEnded();
  }
});
