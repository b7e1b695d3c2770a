// Calls to the node, as the account that is logged in. The node decides; a refusal is shown whole.

const KEPT = "session";
export let session = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
let whenEnded = () => {};

export class Refusal extends Error {
  constructor(status, { type, problem, given, expected, remedy }) {
    super([problem, given, expected, remedy].filter(Boolean).join(" · "));
    Object.assign(this, { status, type, problem, given, expected, remedy });
  }
}

export const onSessionEnd = (work) => (whenEnded = work);
export const may = (action) => session?.actions?.includes(action) ?? false;
export const headers = () => (session ? { Authorization: `Bearer ${session.token}` } : {});

export async function call(method, path, body, { text = false, type = "application/json" } = {}) {
  const response = await fetch(`/api/v1${path}`, {
    method,
    headers: { ...headers(), ...(body !== undefined && { "Content-Type": type }) },
    body: body === undefined ? undefined : type === "application/json" ? JSON.stringify(body) : body,
    cache: "no-store",
  });
  if (response.ok) return text ? response.text() : response.json();
  if (response.status === 401 && session) end();
  throw new Refusal(response.status, (await response.json()).error);
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);

export async function begin(account, password) {
  session = await post("/session", { account, password });
  keep();
}

// What the account may do and reads in; asked for anew at each load, since either may change.
export async function introduce() {
  const me = await get("/me");
  session = { ...session, ...me };
  keep();
  return me;
}

export async function logOut() {
  await call("DELETE", "/session");
  end();
}

export function end() {
  session = null;
  sessionStorage.removeItem(KEPT);
  whenEnded();
}

const keep = () => sessionStorage.setItem(KEPT, JSON.stringify(session));
