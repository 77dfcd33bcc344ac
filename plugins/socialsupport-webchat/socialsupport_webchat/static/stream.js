// Server-sent events over fetch: unlike EventSource it can carry the token in a header.

import { backoff } from "./session.js";

// Three heartbeats without a sound: the line is dead even if nobody said so.
const SILENCE = 50_000;

export class Stream extends EventTarget {
  cursor = 0;
  #attempt = 0;
  #timer = 0;
  #abort = null;
  #stopped = true;

  constructor(session) {
    super();
    this.session = session;
    addEventListener("online", () => this.#stopped || this.start());
    addEventListener("offline", () => this.#drop());
  }

  start() {
    this.#stopped = false;
    this.#attempt = 0;
    this.#drop();
    this.#run();
  }

  stop() {
    this.#stopped = true;
    this.#drop();
  }

  #drop() {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = null;
    this.#tell("state", navigator.onLine ? "connecting" : "offline");
  }

  async #run() {
    const abort = (this.#abort = new AbortController());
    let lost = true;
    try {
      const response = await this.session.stream(this.cursor, abort.signal);
      if (!response.ok) throw new Error(`no stream: ${response.status}`);
      await this.#read(response.body.getReader(), abort);
      lost = false; // the server ends every stream after a while
    } catch {
      // Lost; whatever the reason, what helps is to come again.
    }
    if (this.#abort !== abort) return; // somebody else has taken over
    if (lost) this.#drop();
    this.#timer = setTimeout(() => this.#stopped || this.#run(), backoff(lost ? this.#attempt++ : 0));
  }

  async #read(reader, abort) {
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const watchdog = setTimeout(() => abort.abort(), SILENCE);
      const { done, value } = await reader.read().finally(() => clearTimeout(watchdog));
      if (done || this.#abort !== abort) return;
      const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = blocks.pop();
      blocks.forEach((block) => this.#take(block));
    }
  }

  #take(block) {
    const fields = Object.fromEntries(
      block.split("\n").map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
      }),
    );
    if (fields.event === "live") {
      this.#attempt = 0;
      this.#tell("state", "live");
    }
    if (fields.event !== "entry") return;
    this.cursor = Number(fields.id);
    this.#tell("entry", JSON.parse(fields.data));
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
