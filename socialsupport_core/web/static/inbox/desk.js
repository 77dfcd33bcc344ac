// The desk: what is open, what comes in, and what the panes show of it.

import { hub } from "./api.js";
import { Approvals } from "./approvals.js";
import { Composer } from "./composer.js";
import { announce, byId, debounce, h, icon, toast } from "./dom.js";
import { Duty } from "./duty.js";
import { listen, showKeys } from "./keys.js";
import { Person } from "./person.js";
import { Pulse } from "./pulse.js";
import { Queue } from "./queue.js";
import { Review } from "./review.js";
import { showKind } from "./sorting.js";
import { Spikes } from "./spikes.js";
import { Stream } from "./stream.js";
import { tick, time } from "./times.js";
import { Timeline } from "./timeline.js";
import { showUnwell } from "./unwell.js";
import { askDelete, askEdit } from "./verbs.js";
import { askCorrection, askLink, askPart, askSplit } from "./verdicts.js";
import { badge, called, network } from "./words.js";

const TICK = 20_000; // milliseconds
const TELLS_WHO = /^(interaction\.received|conversation\.handed_off|(challenge|proof|handoff)\.)/;
const CHANGES_QUEUE = /^(interaction|conversation|customer|delivery|intent|approval|service)\./;

export class Desk {
  constructor(session, me, agents, { out }) {
    this.session = session;
    this.me = me;
    this.names = new Map(agents.map((one) => [one.id, one.name]));
    this.channels = new Map(me.channels.map((one) => [one.id, one]));
    this.present = {};
    this.queue = new Queue(this);
    this.pulse = new Pulse(this);
    this.timeline = new Timeline(this);
    this.composer = new Composer(this);
    this.approvals = new Approvals(this);
    this.person = new Person(this);
    this.review = new Review(this);
    this.duty = new Duty(this);
    this.spikes = new Spikes(this);
    this.refreshQueue = debounce(() => this.loadQueue(), 250);
    this.refreshOpen = debounce(() => this.refresh(), 150);
    this.refreshChannels = debounce(() => this.loadChannels(), 150);
    this.refreshPerson = debounce(() => this.loadPerson(), 1500);
    this.stream = new Stream(me.cursor, {
      tell: (type, event) => this.heard(type, event),
      feel: (state) => this.feel(state),
      out,
    });
    this.wire();
  }

  async start() {
    const titles = [...this.channels.values()].map((one) => ({ id: one.id, title: this.channelTitle(one) }));
    this.queue.channels(titles);
    showUnwell([...this.channels.values()], (one) => this.channelTitle(one));
    this.stream.run();
    this.pulse.load();
    await this.loadQueue();
    this.route();
  }

  wire() {
    byId("back").append(icon("back"));
    byId("show-person").append(icon("person"));
    byId("back").addEventListener("click", () => (location.hash = "#/"));
    byId("show-person").addEventListener("click", () => this.togglePerson());
    byId("resolve").addEventListener("click", () => this.resolve());
    byId("take").addEventListener("click", () => this.assign(this.session.agent));
    byId("assignee").addEventListener("change", (event) => this.assign(event.target.value || null));
    byId("keys-button").addEventListener("click", () => showKeys());
    byId("skip").addEventListener("click", (event) => {
      event.preventDefault();
      byId("timeline").focus();
    });
    window.addEventListener("hashchange", () => this.route());
    setInterval(tick, TICK);
    listen(
      {
        j: () => this.step(1),
        k: () => this.step(-1),
        r: () => this.current && this.composer.focus(),
        n: () => this.current && this.composer.focus("note"),
        e: () => this.current && this.may("reply") && this.resolve(),
        a: () => this.current && this.may("reply") && this.assign(this.session.agent),
        p: () => this.current && this.togglePerson(),
        "/": () => byId("search-text").focus(),
        "?": () => showKeys(),
      },
      () => this.escape(),
    );
  }

  // names

  may = (scope) => this.session.scopes.includes(scope);
  nameOf = (agent) => (agent ? (this.names.get(agent) ?? agent) : null);
  customerName = () => this.current?.customer.name ?? "Somebody";
  networkOf = (channel) => this.channels.get(channel)?.connector ?? channel;
  answering = (conversation) => this.present[conversation] ?? [];

  channelName(id) {
    const channel = this.channels.get(id);
    return channel ? this.channelTitle(channel) : id === "any" ? "any channel" : network(id);
  }

  /** The network's name; with the channel's own where there are several on one network. */
  channelTitle(channel) {
    const twins = [...this.channels.values()].filter((one) => one.connector === channel.connector).length > 1;
    return twins ? `${network(channel.connector)} ${channel.name ?? channel.id}` : network(channel.connector);
  }

  // what is open

  route() {
    const id = location.hash.match(/^#\/(con_[a-z0-9]+)/)?.[1] ?? null;
    if (id) this.load(id);
    else this.close();
  }

  open(conversation) {
    location.hash = `#/${conversation}`;
  }

  step(by) {
    const next = this.queue.beside(by);
    if (next) this.open(next);
  }

  close() {
    this.wanted = null;
    this.current = null;
    this.queue.select(null);
    this.pane("queue");
    byId("talk-body").hidden = true;
    byId("nothing").hidden = false;
    this.person.clear();
  }

  pane(name) {
    byId("desk").dataset.pane = name;
    byId("show-person").setAttribute("aria-expanded", String(name === "person"));
  }

  togglePerson() {
    const open = byId("desk").dataset.pane === "person";
    this.pane(open ? "talk" : "person");
    if (!open) byId("person-title")?.focus();
  }

  closePerson() {
    this.pane("talk");
    byId("show-person").focus();
  }

  escape() {
    const pane = byId("desk").dataset.pane;
    if (pane === "person") return this.closePerson();
    if (document.activeElement === this.composer.text) return byId("timeline").focus();
    if (document.activeElement === byId("search-text")) {
      byId("search-text").value = "";
      byId("search-text").dispatchEvent(new Event("input"));
      return document.activeElement.blur();
    }
    if (this.current) location.hash = "#/";
    return null;
  }

  async load(id) {
    if (id === this.current?.id) return this.pane("talk");
    this.wanted = id;
    this.queue.select(id);
    this.pane("talk");
    try {
      const found = await hub.conversation(id);
      if (this.wanted !== id) return;
      if (found.superseded_by) return this.follow(found);
      this.show(found);
      const inQueue = document.activeElement?.closest(".queue") && byId("queue").offsetParent;
      if (!inQueue) byId("talk-title").focus({ preventScroll: true });
      return await this.loadPerson();
    } catch (problem) {
      toast(problem.message, "trouble");
      return this.close();
    }
  }

  /** Shows the open conversation as it is now. */
  async refresh() {
    const id = this.current?.id;
    if (!id) return;
    const found = await hub.conversation(id).catch(() => null);
    if (!found || this.current?.id !== id) return;
    if (found.superseded_by) this.follow(found);
    else this.show(found);
  }

  /** This conversation goes on in another. */
  follow(found) {
    location.replace(`#/${found.superseded_by}`);
  }

  show(found) {
    this.current = found; // before the panes ask for it
    byId("nothing").hidden = true;
    byId("talk-body").hidden = false;
    byId("talk-title").textContent = called(found.customer.name);
    byId("talk-facts").replaceChildren(...facts(found));
    this.showAssignee(found);
    byId("resolve").textContent = found.status === "resolved" ? "Reopen" : "Resolve";
    for (const id of ["assignee", "resolve"]) byId(id).hidden = !this.may("reply");
    showKind(found, { may: this.may("reply"), attempt: (work, done) => this.attempt(work, done) });
    this.timeline.show(found);
    this.composer.show(found);
    this.approvals.show(found);
    this.showAnswering(found.answering);
    this.duty.show(found);
    if (!document.hidden) this.queue.read(found);
  }

  showAssignee(found) {
    byId("take").hidden = !this.may("reply") || found.assignee === this.session.agent;
    if (byId("assignee").length && byId("assignee").value === (found.assignee ?? "")) return;
    const options = [
      h("option", { value: "" }, "Nobody yet"),
      ...[...this.names].map(([id, name]) =>
        h("option", { value: id }, id === this.session.agent ? `${name} (you)` : name),
      ),
    ];
    byId("assignee").replaceChildren(...options);
    byId("assignee").value = found.assignee ?? "";
  }

  showAnswering(names) {
    const line = byId("answering");
    const words = names?.length
      ? `${names.join(" and ")} ${names.length > 1 ? "are" : "is"} answering this conversation.`
      : "";
    if (line.textContent !== words) line.replaceChildren(words);
    line.hidden = !words;
    this.composer.colleagues.present(names);
  }

  async loadPerson() {
    const { id, customer: { id: customer } = {} } = this.current ?? {};
    if (!customer) return;
    const [known, explained, codes] = await Promise.all([hub.customer(customer), hub.explain(customer), hub.codes(id)]);
    if (this.current?.customer.id !== customer || this.current.id !== id) return;
    this.customer = known;
    this.person.show(known, explained, this.current, codes);
  }

  // the channels

  async loadChannels() {
    const me = await hub.me().catch(() => null);
    if (me) this.channels = new Map(me.channels.map((one) => [one.id, one]));
    showUnwell([...this.channels.values()], (one) => this.channelTitle(one));
  }

  // the queue

  async loadQueue() {
    const { text } = this.queue;
    try {
      if (!text && this.queue.status === "review") return await this.review.load();
      if (!text && this.queue.status === "approve") return await this.approvals.load();
      if (text) {
        const { customers } = await hub.customers(text);
        if (text === this.queue.text) this.queue.show(customers.flatMap((one) => one.conversations));
      } else {
        const { conversations } = await hub.queue(this.queue.filter());
        if (!this.queue.text) this.queue.show(conversations, this.quiet());
      }
    } catch (problem) {
      toast(problem.message, "trouble");
    }
  }

  quiet() {
    return (
      { mine: "Nothing is assigned to you.", resolved: "Nothing has been resolved yet." }[this.queue.status] ??
      "Nobody is waiting."
    );
  }

  filtered() {
    this.review.forget();
    this.loadQueue();
  }

  // what comes in

  heard(type, event) {
    if (type === "presence") return this.sensed(event);
    this.pulse.heard(type);
    if (type === "volume.spike") return this.spikes.load();
    if (type === "channel.changed") return this.refreshChannels();
    if (CHANGES_QUEUE.test(type)) this.refreshQueue();
    if (type === "interaction.received") this.call(event);
    if (type === "typing.started") return this.typing(event);
    if (type === "customer.changed") return this.changed(event.data);
    if (!this.concerns(event)) return null;
    if (TELLS_WHO.test(type)) this.refreshPerson();
    return this.refreshOpen();
  }

  concerns(event) {
    if (!this.current) return false;
    const known = new Set([this.current.id, ...(this.customer?.conversations ?? []).map((one) => one.id)]);
    return known.has(event.conversation) || event.data.customer === this.current.customer.id;
  }

  call(event) {
    const { direction, author, network: where, text } = event.data.interaction;
    if (direction !== "inbound") return;
    const here = event.conversation === this.current?.id;
    announce(
      `${here ? "" : "In the queue: "}${author.name ?? "Somebody"} on ${network(where)}: ${(text ?? "").slice(0, 200)}`,
    );
  }

  typing(event) {
    const leg = this.current?.legs.find((one) => one.channel === event.channel && one.thread === event.thread);
    if (!leg || event.data.author?.is_self) return;
    this.showAnswering([]);
    byId("answering").textContent = `${called(this.current.customer.name)} is typing on ${network(leg.network)}.`;
    byId("answering").hidden = false;
    clearTimeout(this.typed);
    this.typed = setTimeout(() => this.showAnswering(this.answering(this.current?.id)), 6000);
  }

  sensed(present) {
    this.present = present;
    this.queue.render();
    if (this.current) this.showAnswering(this.answering(this.current.id));
  }

  /** Somebody was joined or split: what is open may belong to another customer now. */
  async changed({ old, new: fresh }) {
    const mine = [this.current?.customer.id, ...(this.customer?.aliases ?? [])];
    if (!mine.includes(old) && !mine.includes(fresh)) return;
    this.timeline.reset();
    await this.refresh();
    await this.loadPerson();
  }

  feel(state) {
    const line = byId("link-state");
    line.dataset.state = state;
    line.textContent = state === "live" ? "Live" : "Offline, trying again";
    if (this.feeling === "offline" && state === "live") {
      this.loadQueue();
      this.refreshChannels();
      this.refresh();
    }
    this.feeling = state;
  }

  // what an agent does

  async attempt(work, done) {
    try {
      await work();
      if (done) toast(done);
      await this.refresh();
      return true;
    } catch (problem) {
      toast(problem.message, "trouble");
      return false;
    }
  }

  assign(agent) {
    const words = agent ? `Assigned to ${this.nameOf(agent)}.` : "Open to everybody.";
    return this.attempt(() => hub.assign(this.current.id, agent), words);
  }

  resolve() {
    const { id, status } = this.current;
    return status === "resolved"
      ? this.attempt(() => hub.reopen(id), "Open again.")
      : this.attempt(() => hub.resolve(id), "Resolved.");
  }

  settle(part, state) {
    const done = { sent: "Noted: it was sent.", failed: "Noted: it was not sent.", queued: "It goes out again." };
    return this.attempt(() => hub.settle(part, state), done[state]);
  }

  async rewrite(entry) {
    if (await askEdit(entry)) toast("It is being edited.");
  }

  async takeBack(entry) {
    if (await askDelete(entry)) toast("It is being deleted.");
  }

  retry(pending) {
    this.timeline.settle(pending);
    return this.composer.deliver(pending);
  }

  drop(pending) {
    this.composer.takeBack(pending);
  }

  async askLink(other) {
    if (await askLink(this.customer, other)) await this.judged("Linked. It can be undone on the right.");
  }

  confirm(between) {
    return this.moved(() => hub.link(...between), "Noted: they are one. It can be undone on the right.");
  }

  async decide(review, decision, words) {
    try {
      await hub.decide(review, decision);
      await this.judged(words);
    } catch (problem) {
      toast(problem.message, "trouble");
    }
  }

  /** Another conversation of the customer goes on in this one. */
  async mergeHere(other) {
    await this.moved(() => hub.merge(other, this.current.id), "Merged. It can be undone on the right.");
  }

  async askPart() {
    const made = await askPart(this.current);
    if (made) await this.judged("It is a conversation of its own now. It can be undone on the right.");
  }

  undoMove(move) {
    return this.moved(() => hub.undoMove(this.current.id, move), "Undone.");
  }

  async moved(work, words) {
    try {
      await work();
      await this.judged(words);
    } catch (problem) {
      toast(problem.message, "trouble");
    }
  }

  /** What the customer has told is corrected, removed or restored. */
  async askCorrection(told) {
    const corrected = await askCorrection(told);
    if (corrected) await this.changeContext(told, { corrected }, "Corrected.");
  }

  changeContext(told, how, words) {
    const { kind, value } = told;
    return this.moved(() => hub.context(this.current.id, { kind, value, ...how }), words);
  }

  async askSplit() {
    if (await askSplit(this.customer)) await this.judged("Split. It can be undone on the right.");
  }

  async undo(verdict) {
    try {
      await hub.undo(this.customer.id, verdict);
      await this.judged("Undone.");
    } catch (problem) {
      toast(problem.message, "trouble");
    }
  }

  async judged(words) {
    toast(words);
    this.timeline.reset();
    if (this.queue.status === "review") this.refreshQueue();
    if (!this.current) return;
    await this.refresh();
    await this.loadPerson();
  }
}

function facts(found) {
  const words = [found.subject, found.status === "resolved" ? "Resolved" : null].filter(Boolean);
  return [
    ...found.networks.map(badge),
    ...words.map((one) => h("span", {}, one)),
    h(
      "span",
      { class: "soft" },
      found.waiting_since ? "waiting for " : "opened ",
      found.waiting_since ? time(found.waiting_since, "since") : time(found.opened_at, "ago"),
    ),
  ];
}
