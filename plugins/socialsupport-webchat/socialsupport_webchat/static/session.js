// Who we are to the server, and how we speak to it. The token lives in this browser's storage, never in an address.

const TIMEOUT = 20_000;
const RENEW_AFTER = 86_400_000;

// Storage that works for as long as the page even where the browser refuses to keep anything.
export class Store {
  #memory = new Map();

  constructor(prefix) {
    this.prefix = prefix;
  }

  get(key) {
    const name = this.prefix + key;
    try {
      return JSON.parse(localStorage.getItem(name)) ?? this.#memory.get(name) ?? null;
    } catch {
      return this.#memory.get(name) ?? null;
    }
  }

  set(key, value) {
    const name = this.prefix + key;
    this.#memory.set(name, value);
    try {
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, JSON.stringify(value));
    } catch {
      // Full or forbidden: memory has it.
    }
  }
}

// Half a minute between attempts at most, and never all browsers at the same moment.
export function backoff(attempt) {
  return Math.min(30_000, 1000 * 2 ** Math.min(attempt, 5)) * (0.5 + Math.random() / 2);
}

export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // pages without TLS have no randomUUID
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export class Session extends EventTarget {
  #opening = null;

  // `user` is the id of the person whom the host page has signed in, or "" for nobody: each has their own visitor,
  // so that whoever uses this browser next does not read along.
  constructor(store, user) {
    super();
    this.store = store;
    this.key = `session:${user}`;
    if (user && !store.get(this.key)) this.#adopt();
    this.known = store.get(this.key);
  }

  get visitor() {
    return this.known?.visitor ?? "";
  }

  // The server's time, because browsers' clocks are wrong.
  now() {
    return new Date(Date.now() + (this.known?.ahead ?? 0)).toISOString();
  }

  // What somebody wrote before they signed in stays theirs.
  #adopt() {
    const anonymous = this.store.get("session:");
    if (!anonymous) return;
    this.store.set(this.key, anonymous);
    this.store.set("session:", null);
  }

  // A token in use is renewed long before it ends; that it cannot be renewed just now is no reason to stop.
  async #ready() {
    if (!this.known) await this.open();
    else if (Date.now() - this.known.opened > RENEW_AFTER) await this.open().catch(() => {});
  }

  // One at a time: a new visitor for each tab that asks would be several people.
  open() {
    this.#opening ??= this.#open().finally(() => (this.#opening = null));
    return this.#opening;
  }

  async #open() {
    const old = this.visitor;
    const response = await this.#fetch("session", { method: "POST" });
    if (!response.ok) throw new Error(`no session: ${response.status}`);
    const { visitor, token, now } = await response.json();
    this.known = { visitor, token, ahead: Date.parse(now) - Date.now(), opened: Date.now() };
    this.store.set(this.key, this.known);
    if (old !== visitor) this.dispatchEvent(new CustomEvent("visitor", { detail: { old, visitor } }));
  }

  // The response, whatever its status; throws when there is none.
  async post(path, content) {
    const send = () =>
      this.#fetch(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(content),
      });
    await this.#ready();
    const response = await send();
    if (response.status !== 401) return response;
    await this.open();
    return send();
  }

  async stream(after, signal) {
    const options = { headers: { accept: "text/event-stream" }, cache: "no-store", signal };
    await this.#ready();
    const response = await this.#fetch(`stream?after=${after}`, options);
    if (response.status !== 401) return response;
    await this.open();
    throw new Error("the session was renewed; the thread may be another");
  }

  #fetch(path, { headers = {}, ...options }) {
    const authorization = this.known ? { authorization: `Bearer ${this.known.token}` } : {};
    const signal = options.signal ?? AbortSignal.timeout(TIMEOUT);
    return fetch(path, { ...options, signal, credentials: "omit", headers: { ...headers, ...authorization } });
  }
}
