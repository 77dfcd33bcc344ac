// More customers than usual: how many, what many of them say, and some of them.

import { call } from "./api.js";
import { byId, h } from "./dom.js";

const FRESH = 2 * 3600; // seconds for which it is news

export class Spikes {
  constructor(desk) {
    this.desk = desk;
    this.bar = h("div", { class: "unwell", id: "spikes", role: "status", hidden: true });
    byId("unwell").after(this.bar);
    this.load();
  }

  async load() {
    const { spikes } = await call("GET", "api/spikes").catch(() => ({ spikes: [] }));
    const fresh = spikes.filter((one) => Date.now() / 1000 - one.hour < FRESH);
    this.bar.hidden = !fresh.length;
    this.bar.replaceChildren(...fresh.slice(0, 1).map((one) => this.line(one)));
  }

  line(one) {
    const causes = one.causes.map((cause) =>
      h("span", {}, ` ${cause.count} of them: ${cause.words.join(", ")} (`, ...this.some(cause), ")."),
    );
    return h("p", {}, h("b", {}, "More than usual"), `: ${one.reason}.`, ...causes);
  }

  some(cause) {
    const open = (id, n) =>
      h("button", { type: "button", class: "as-link", on: { click: () => this.desk.open(id) } }, `${n + 1}`);
    return cause.conversations.slice(0, 3).flatMap((id, n) => (n ? [", ", open(id, n)] : [open(id, n)]));
  }
}
