// How it goes right now: who waits, how today is going. Each figure leads to what it is made of.

import { call } from "./api.js";
import { byId, debounce, h } from "./dom.js";
import { lasting } from "./times.js";

const PAUSE = 1000; // milliseconds between an event and asking what it changed
const BEAT = 30_000; // what waits grows older without any event
const CHANGES = /^(interaction|conversation|delivery|intent)\./;

export class Pulse {
  /** `desk`: `queue`, `filtered()`. */
  constructor(desk) {
    this.desk = desk;
    this.bar = byId("pulse");
    this.later = debounce(() => this.load(), PAUSE);
    this.timer = setInterval(() => document.hidden || this.load(), BEAT);
  }

  stop() {
    clearInterval(this.timer);
    this.later.cancel();
  }

  /** Asks once more when things have settled; while many come in, still once in a while. */
  heard(type) {
    if (CHANGES.test(type)) this.later();
  }

  async load() {
    const found = await call("GET", "api/live").catch(() => null);
    if (found) this.show(found);
  }

  show(found) {
    const report = `api/report.html?since=${encodeURIComponent(found.today.since)}`;
    const age = found.oldest && since(found.oldest);
    const print = JSON.stringify([found.waiting, this.desk.queue.waiting, age, found.oldest, found.today]);
    this.bar.hidden = false;
    if (this.bar.dataset.print === print) return; // what has the focus keeps it
    const focused = [...this.bar.children].indexOf(document.activeElement);
    this.bar.dataset.print = print;
    const { today } = found;
    this.bar.replaceChildren(this.waiting(found), this.longest(found), inTime(today, report), broken(today, report));
    this.bar.children[focused]?.focus();
  }

  waiting({ waiting }) {
    const pressed = this.desk.queue.waiting;
    const title = pressed ? "Show all conversations" : "Show only who waits";
    return h(
      "button",
      { type: "button", "aria-pressed": String(pressed), title, on: { click: () => this.toggle() } },
      h("b", {}, String(waiting)),
      h("span", {}, "waiting"),
    );
  }

  toggle() {
    this.desk.queue.waiting = !this.desk.queue.waiting;
    this.desk.filtered();
    this.load();
  }

  longest({ oldest }) {
    if (!oldest) return h("span", { class: "still" }, h("b", {}, "–"), h("span", {}, "longest"));
    const target = lasting(oldest.target_seconds * 1000);
    return h(
      "a",
      {
        href: `#/${oldest.conversation}`,
        title: `Who has waited longest; the target is ${target}`,
        data: { state: oldest.overdue ? "late" : null },
      },
      h("b", {}, since(oldest)),
      h("span", {}, `longest, of ${target}`),
    );
  }
}

const since = (oldest) => lasting(Date.now() - new Date(oldest.since));

function inTime(today, report) {
  const { share, count, of } = today.in_target;
  const words = share === null ? "–" : `${Math.floor(share * 100)} %`;
  return figure(words, "in time today", `${count} of ${of} contacts of today were answered within the target`, report);
}

function broken(today, report) {
  const { count, by_reason: reasons } = today.breakdowns;
  const why = Object.entries(reasons).map(([reason, n]) => `${reason}: ${n}`);
  const found = figure(String(count), "broke today", why.join("; ") || "Nothing broke today", `${report}#breaks`);
  if (count) found.dataset.state = "late";
  return found;
}

const figure = (words, label, title, href) =>
  h("a", { href, title, target: "_blank", rel: "noopener" }, h("b", {}, words), h("span", {}, label));
