// Messages wait here until the server has committed them: in order, one at a time, over reloads and outages.
// Each carries an id of its own, so sending one twice is sending it once.

import { backoff } from "./session.js";

const AGAIN = new Set([401, 408, 425, 429]);

export class Outbox extends EventTarget {
  #attempt = 0;
  #timer = 0;
  #busy = false;

  constructor(store, session) {
    super();
    this.store = store;
    this.session = session;
    session.addEventListener("visitor", ({ detail }) => this.#move(detail));
    addEventListener("online", () => this.hurry());
  }

  get waiting() {
    return this.#list();
  }

  add(message) {
    this.#keep([...this.#list(), message]);
    this.hurry();
  }

  forget(id) {
    this.#keep(this.#list().filter((message) => message.id !== id));
  }

  // Something has changed for the better: try now.
  hurry() {
    clearTimeout(this.#timer);
    this.#attempt = 0;
    this.#flush();
  }

  #key(visitor = this.session.visitor) {
    return `outbox:${visitor}`;
  }

  #list() {
    return this.store.get(this.#key()) ?? [];
  }

  #keep(messages) {
    this.store.set(this.#key(), messages.length ? messages : null);
  }

  #move({ old, visitor }) {
    const left = this.store.get(this.#key(old)) ?? [];
    const more = this.store.get(this.#key(visitor)) ?? [];
    this.store.set(this.#key(old), null);
    this.store.set(this.#key(visitor), left.length + more.length ? [...left, ...more] : null);
  }

  async #flush() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      // One tab at a time, or two could overtake each other.
      if (navigator.locks) await navigator.locks.request(`webchat ${this.#key()}`, () => this.#drain());
      else await this.#drain();
    } finally {
      this.#busy = false;
    }
  }

  async #drain() {
    for (let message = this.#list()[0]; message; message = this.#list()[0]) {
      this.#tell(message.id, navigator.onLine ? "sending" : "waiting");
      const outcome = await this.#send(message);
      if (outcome.again) return this.#later(outcome.after);
      this.#attempt = 0;
      this.forget(message.id);
      this.#tell(message.id, outcome.refused ? "refused" : "sent", outcome.refused);
    }
  }

  async #send(message) {
    try {
      const response = await this.session.post("messages", message);
      if (response.ok) return {};
      if (AGAIN.has(response.status) || response.status >= 500) {
        return { again: true, after: 1000 * Number(response.headers.get("retry-after") ?? 0) };
      }
      return { refused: (await response.json().catch(() => ({}))).detail ?? "refused" };
    } catch {
      return { again: true, after: 0 };
    }
  }

  #later(after) {
    for (const message of this.#list()) this.#tell(message.id, "waiting");
    this.#timer = setTimeout(() => this.#flush(), Math.max(after, backoff(this.#attempt++)));
  }

  #tell(id, state, reason = "") {
    this.dispatchEvent(new CustomEvent("state", { detail: { id, state, reason } }));
  }
}
