// The continuous conversation: everything of the customer in order, with the seams between networks made visible.

import { hub } from "./api.js";
import { byId, h, icon, reconcile, toast } from "./dom.js";
import { entryItem } from "./entry.js";
import { day, time } from "./times.js";
import { badge, called, joined, network, proof, told, visibility } from "./words.js";

const GLYPHS = {
  "conversation.handed_off": "handoff",
  "conversation.merged": "link",
  "conversation.split": "split",
  "conversation.moved": "handoff",
  "conversation.restored": "undo",
  "handoff.refused": "stop",
  "proof.refused": "stop",
  "challenge.started": "question",
};
const NEAR = 80; // pixels from the end that still count as reading the newest
const TOGETHER = 10 * 60_000; // milliseconds within which one author's next touch needs no new heading

export class Timeline {
  /** `desk` as for `entryItem`, and `open(conversation)`. */
  constructor(desk) {
    this.desk = desk;
    this.frame = byId("timeline");
    this.list = byId("entries");
    this.newest = byId("newest");
    this.scope = "everything";
    this.forget();
    this.newest.prepend(icon("down"));
    this.newest.addEventListener("click", () => this.toEnd());
    this.frame.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.ended = true;
    this.at = 0;
    const settle = new ResizeObserver(() => this.ended && this.toEnd());
    settle.observe(this.frame);
    settle.observe(this.list);
    byId("scope").addEventListener("change", (event) => {
      this.scope = event.target.value;
      this.render();
      this.toEnd();
    });
  }

  forget() {
    this.customer = null;
    this.entries = new Map();
    this.before = null;
    this.pending = [];
    this.last = null;
  }

  /** Shows a conversation as the API gives it. Older pages that were loaded stay while the customer stays. */
  show(conversation) {
    const fresh = this.conversation?.id !== conversation.id || this.customer !== conversation.customer.id;
    if (fresh) this.forget();
    this.conversation = conversation;
    this.customer = conversation.customer.id;
    this.merge(conversation.timeline, true);
    this.ended ||= fresh;
    this.render();
    if (this.ended) this.toEnd();
    else if (this.latest() !== this.last) this.newest.hidden = false;
    this.last = this.latest();
  }

  /** After identities have changed nothing of what was loaded may be right. */
  reset() {
    this.entries = new Map();
    this.before = null;
  }

  merge(page, isNewest) {
    if (isNewest && page.length) {
      const first = order(page[0].cursor);
      for (const [id, entry] of this.entries) if (after(order(entry.cursor), first)) this.entries.delete(id);
    }
    for (const entry of page) this.entries.set(entry.id, entry);
    this.entries = new Map(inOrder(this.entries.values()).map((entry) => [entry.id, entry]));
    if (this.before === null) this.before = page.length >= 50 ? page[0].cursor : "";
  }

  async scrolled() {
    const { scrollTop } = this.frame;
    if (this.nearEnd()) this.ended = true;
    else if (scrollTop < this.at) this.ended = false; // somebody scrolled up; a box that grew below did not
    this.at = scrollTop;
    if (this.ended) this.newest.hidden = true;
    if (this.frame.scrollTop > 200 || !this.before || this.loading || this.scope !== "everything") return;
    this.loading = true;
    byId("older").textContent = "Loading older messages";
    const [customer, height] = [this.customer, this.frame.scrollHeight];
    try {
      const page = await hub.older(customer, this.before);
      if (customer !== this.customer) return;
      this.before = page.entries.length >= 50 ? page.before : "";
      this.merge(page.entries, false);
      const top = this.frame.scrollTop;
      this.render();
      this.frame.scrollTop = top + this.frame.scrollHeight - height;
    } catch (problem) {
      toast(problem.message, "trouble");
    } finally {
      this.loading = false;
      byId("older").textContent = this.before ? "" : "This is where it began";
    }
  }

  nearEnd() {
    return this.frame.scrollHeight - this.frame.scrollTop - this.frame.clientHeight < NEAR;
  }

  toEnd() {
    this.ended = true;
    this.frame.scrollTop = this.frame.scrollHeight;
    this.newest.hidden = true;
  }

  /** What the customer has said and heard, as far as it is loaded, and what is said here by who is not proven to be
   * the customer. */
  everything() {
    const mine = [...this.entries.values()];
    const since = this.before && mine.length ? order(mine[0].cursor) : null;
    const others = this.conversation.entries.filter(
      (one) => !this.entries.has(one.id) && (!since || after(order(one.cursor), since)),
    );
    return inOrder([...mine, ...others]);
  }

  latest() {
    return this.everything().at(-1)?.id;
  }

  /** What was just sent, until the hub shows it. */
  expect(pending) {
    this.pending.push(pending);
    this.render();
    this.toEnd();
  }

  settle(pending) {
    this.pending = this.pending.filter((one) => one !== pending);
    this.render();
  }

  /** What the hub does not show yet: a message that bears its key has arrived. */
  get awaited() {
    const shown = [...this.entries.values()].map((entry) => entry.interaction.client_key);
    const unsent = (this.conversation?.unsent ?? []).map((part) => part.delivery.part);
    const known = [...shown, ...unsent].filter(Boolean);
    return this.pending.filter((one) => !known.some((key) => key.includes(`:${one.key}`)));
  }

  render() {
    const own = this.scope === "conversation";
    const entries = own ? this.conversation.entries : this.everything();
    reconcile(this.list, [...this.seams(entries), ...this.unsent(), ...this.awaited.map((one) => this.draft(one))]);
    byId("older").textContent = this.before && !own ? "" : "This is where it began";
  }

  seams(entries) {
    const items = [];
    const seen = new Set();
    const turns = (this.conversation.turns ?? []).filter(isTold);
    let previous = null;
    let leg = null;
    for (const entry of entries) {
      while (turns.length && turns[0].at < entry.at) items.push(this.turn(turns.shift()));
      const internal = entry.interaction.direction === "internal";
      items.push(...dayBreak(previous, entry), ...this.otherMatter(previous, entry));
      if (!internal && entry.leg !== leg) {
        items.push(this.legBreak(entry, seen.has(entry.leg)));
        seen.add(entry.leg);
        leg = entry.leg;
      }
      items.push(
        entryItem(entry, this.desk, {
          follows: goesOn(items.at(-1), previous, entry),
          foreign: this.foreign(entry),
          guest: this.guest(entry),
        }),
      );
      previous = entry;
    }
    return [...items, ...turns.map((turn) => this.turn(turn))];
  }

  foreign(entry) {
    return Boolean(entry.conversation) && entry.conversation !== this.conversation.id;
  }

  /** Whether somebody has written it who came with a hand-off link, and nothing has proven yet that it is the customer. */
  guest({ leg, interaction }) {
    const where = this.conversation.legs.find((one) => one.id === leg);
    return interaction.direction === "inbound" && Boolean(where?.unproven) && where.rule === "handoff_token";
  }

  otherMatter(previous, entry) {
    if (!entry.conversation || (previous ? previous.conversation === entry.conversation : !this.foreign(entry)))
      return [];
    const here = entry.conversation === this.conversation.id;
    const go = h(
      "button",
      { type: "button", class: "as-link", on: { click: () => this.desk.open(entry.conversation) } },
      "open it",
    );
    const words = here ? ["This conversation"] : ["Another conversation of the same customer, ", go];
    return [seam(`matter:${entry.id}`, here, () => h("li", { class: "seam matter" }, h("p", {}, ...words)))];
  }

  legBreak(entry, again) {
    const { network: where, thread } = entry.interaction;
    const words = again ? `Back on ${network(where)}` : joined(entry.rule, entry.reason);
    return seam(`leg:${entry.id}`, `${words}${thread.visibility}`, () =>
      h(
        "li",
        { class: "seam leg" },
        h("p", {}, badge(where), visibility(thread.visibility), h("span", { class: "why" }, words)),
      ),
    );
  }

  turn(turn) {
    const words = this.told(turn);
    return seam(`turn:${turn.id}`, words, () =>
      h(
        "li",
        { class: "seam turn" },
        h(
          "p",
          {},
          icon(GLYPHS[turn.type] ?? "check"),
          h("span", {}, words),
          " ",
          time(turn.at, "moment"),
        ),
      ),
    );
  }

  told(turn) {
    const who =
      this.desk.nameOf(turn.agent) ?? (turn.by === "customer" ? called(this.conversation.customer.name) : "Somebody");
    switch (turn.type) {
      case "conversation.handed_off":
        if (turn.step !== "arrived") return this.step(turn, who);
        if (turn.how === "agent") return `${who} handed this to ${this.desk.nameOf(turn.to) ?? turn.to}`;
        if (turn.from === turn.to) return `Handed off: to a private thread on ${this.desk.channelName(turn.to)}`;
        return `Handed off: from ${this.desk.channelName(turn.from)} to ${this.desk.channelName(turn.to)}`;
      case "conversation.merged":
        return `${who} merged another conversation into this one`;
      case "conversation.split":
        return `${who} made this a conversation of its own`;
      case "conversation.moved":
        return `${who} moved a part here`;
      case "conversation.restored":
        return `${who} took back what had been moved`;
      case "handoff.refused":
      case "proof.refused":
        return `Refused from ${this.account(turn.account, turn)}: ${turn.reason} (${proof(turn.proof ?? "handoff_token")})`;
      case "challenge.started":
        return `${who} asked ${this.account(turn.account, turn)} for the code told to ${this.account(turn.told, turn)}`;
      case "challenge.proven":
        return `Proven: ${this.account(turn.account, turn)} and ${this.account(turn.told, turn)} are one person`;
      case "conversation.escalated":
        return `Escalated to ${turn.to}: ${turn.reason}`;
      case "conversation.assigned":
        if (turn.reason)
          return `${turn.assignee ? `Given to ${this.desk.nameOf(turn.assignee)}` : "Given back to everybody"}: ${turn.reason}`;
        if (turn.assignee === turn.agent) return `${who} took this`;
        return turn.assignee
          ? `${who} assigned this to ${this.desk.nameOf(turn.assignee)}`
          : `${who} gave this back to everybody`;
      case "conversation.rated":
        return `${called(this.conversation.customer.name)} says how it went: ${turn.value} of 5`;
      case "conversation.resolved":
        return `${who} resolved this`;
      default:
        return turn.by === "customer" ? `${who} wrote again, so this was reopened` : `${who} reopened this`;
    }
  }

  /** An account as people say it, by its handle if it is known, or it has written here. */
  account(written, { handles }) {
    if (handles?.[written]) return told(written, handles[written]);
    const legs = new Set(this.conversation.legs.filter((one) => one.account === written).map((one) => one.id));
    const wrote = this.conversation.entries.filter(
      ({ leg, interaction }) => legs.has(leg) && interaction.direction === "inbound",
    );
    return told(written, wrote.at(-1)?.interaction.author.handle);
  }

  step(turn, who) {
    const there = turn.to === "any" ? null : this.desk.channelName(turn.to);
    switch (turn.step) {
      case "planned":
        return `${who} handed this off to ${there}: ${turn.reasons}`;
      case "reminded":
        return `Reminded of the hand-off to ${there}`;
      case "expired":
        return `Nobody came to ${there}: back in the queue`;
      case "opened":
        return `${who} opened a private thread on ${there}`;
      case "withdrawn":
        return `${who} withdrew the hand-off${there ? ` to ${there}` : ""}`;
      case "confirmed":
        return `The hand-off to ${there} is proven at both ends`;
      default:
        return there ? `Told the customer of the hand-off to ${there}` : `${who} made a hand-off link`;
    }
  }

  unsent() {
    const parts = this.conversation.unsent ?? [];
    return parts.map((part) =>
      this.pseudo({
        id: `unsent:${part.delivery.part}`,
        at: part.at,
        agent: part.agent,
        text: part.text,
        network: this.desk.networkOf(part.channel),
        visibility: part.type === "open.private" ? "private" : "public",
        state: part.delivery.state,
        delivery: part.delivery,
      }),
    );
  }

  draft(pending) {
    const state = pending.lost ? "failed" : "sending";
    const reason = pending.lost ? "The hub could not be reached; nobody knows yet whether it has this message." : null;
    const attachments = pending.saying.attachments.map((one) => ({ ...one, state: "sending" }));
    return this.pseudo({ ...pending, attachments, id: `pending:${pending.key}`, state, delivery: { state, reason }, pending });
  }

  pseudo({ text, network: where, visibility: kind, direction = "outbound", ...entry }) {
    const interaction = { network: where, direction, kind: "message", thread: { visibility: kind }, author: {}, text };
    return entryItem({ ...entry, interaction }, this.desk);
  }
}

/** What followed from who is one customer stands at the leg that it brought. */
const isTold = (turn) => turn.agent || !/^conversation\.(merged|split|moved|restored)$/.test(turn.type);

const seam = (key, print, render) => ({ key, print: String(print), render });

function dayBreak(previous, entry) {
  const moment = new Date(entry.at);
  if (previous && new Date(previous.at).toDateString() === moment.toDateString()) return [];
  return [
    seam(`day:${entry.id}`, day(moment), () => h("li", { class: "seam day" }, h("p", {}, time(entry.at, "day")))),
  ];
}

function goesOn(above, previous, entry) {
  if (!previous || above.key !== previous.id) return false;
  const [a, b] = [previous.interaction, entry.interaction];
  const same =
    a.direction === b.direction && a.kind === b.kind && previous.agent === entry.agent && previous.leg === entry.leg;
  return same && a.direction !== "internal" && new Date(entry.at) - new Date(previous.at) < TOGETHER;
}

const inOrder = (entries) =>
  [...entries].sort((a, b) => (after(order(a.cursor), order(b.cursor)) ? 1 : -1));
const order = (cursor) => cursor.split(".").map(Number);
const after = (a, b) => {
  const differs = a.findIndex((part, place) => part !== b[place]);
  return differs < 0 || a[differs] > b[differs];
};
