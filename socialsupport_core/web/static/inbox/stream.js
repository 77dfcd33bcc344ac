// Everything that happens, as it happens. After a break it goes on behind the last event that was seen.

import { address } from "./api.js";

const SILENCE = 40_000; // milliseconds; the hub says something every 15 seconds
const LONGEST_PAUSE = 15_000;

export class Stream {
  /** `tell(type, event)` for each event; `feel(state)` with "live" or "offline"; `out()` when nobody is signed in. */
  constructor(after, { tell, feel, out }) {
    this.after = after;
    this.tell = tell;
    this.feel = feel;
    this.out = out;
    this.stopped = false;
    this.pause = 500;
    window.addEventListener("online", () => this.wake?.());
  }

  async run() {
    while (!this.stopped) {
      const status = await this.listen().catch(() => 0);
      if (this.stopped) return;
      this.feel("offline");
      if (status === 401) return this.out();
      if (status === 409) return location.reload(); // the store has been restored: what is shown may not be there
      await new Promise((wake) => {
        this.wake = wake;
        setTimeout(wake, this.pause * (0.5 + Math.random()));
      });
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    }
  }

  stop() {
    this.stopped = true;
    this.abort?.abort();
  }

  async listen() {
    this.abort = new AbortController();
    const response = await fetch(address("api/events?presence=1"), {
      headers: { accept: "text/event-stream", "last-event-id": String(this.after) },
      credentials: "same-origin",
      signal: this.abort.signal,
    });
    if (!response.ok) return response.status;
    this.feel("live");
    this.pause = 500;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await this.read(reader);
      if (done) return 0;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      blocks.forEach((block) => this.take(block));
    }
  }

  async read(reader) {
    const watch = setTimeout(() => this.abort.abort(), SILENCE);
    try {
      return await reader.read();
    } finally {
      clearTimeout(watch);
    }
  }

  take(block) {
    const fields = Object.fromEntries(
      block.split("\n").map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
      }),
    );
    if (fields.id) this.after = fields.id;
    if (fields.data) this.tell(fields.event, JSON.parse(fields.data));
  }
}
