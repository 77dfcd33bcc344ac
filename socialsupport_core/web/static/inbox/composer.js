// The reply box: where it goes, how it goes, and what is in the way. A chosen place never changes under a written text.

import { Answers } from "./answers.js";
import { hub, Problem } from "./api.js";
import { Colleagues } from "./colleagues.js";
import { announce, byId, debounce, h, icon, reconcile, toast } from "./dom.js";
import { Drafts } from "./drafts.js";
import { Files } from "./files.js";
import { HandOff } from "./handoff.js";
import { answered, firstOf, placesOf, UNCLEAR } from "./places.js";
import { hindrances, marked, showPlan, urgent } from "./plan.js";
import { time } from "./times.js";
import { called, glyph, identifier } from "./words.js";

const MODES = [
  ["reply", "Reply"],
  ["note", "Internal note"],
  ["private", "Write privately"],
];
const SEND = { reply: "Send", note: "Keep note", private: "Send privately" };
const BEAT = 5000; // milliseconds between signs of life to the colleagues
const apple = /Mac|iPhone|iPad/.test(navigator.platform);

export class Composer {
  /** `desk`: `session`, `nameOf`, `channelName`, `timeline`, `refresh()`. */
  constructor(desk) {
    this.desk = desk;
    this.form = byId("composer");
    this.mode = "reply";
    this.leg = null;
    this.said = null;
    this.plan = null;
    this.obstructed = new Map();
    this.build();
    this.plans = debounce(() => this.askPlan(), 300);
    setInterval(() => this.beat(), BEAT);
    document.addEventListener("visibilitychange", () => this.beat());
  }

  build() {
    this.text = h("textarea", {
      id: "answer",
      rows: 2,
      "aria-label": "Your answer",
      "aria-describedby": "plan",
      "aria-keyshortcuts": "Control+Enter Meta+Enter",
    });
    this.mirror = h("div", { class: "mirror", "aria-hidden": "true" });
    this.plate = h("div", { class: "plan", id: "plan", "aria-live": "polite" });
    this.modes = h("div", { class: "segments small modes", role: "radiogroup", "aria-label": "What you write" });
    this.legs = h("div", { class: "legs", role: "radiogroup", "aria-label": "Where it goes" });
    this.mute = h("p", { class: "soft", id: "mute", hidden: true });
    this.files = new Files(() => this.fileChanged());
    this.warning = h("p", { class: "plan-line loss", id: "hand-off-note", role: "status", hidden: true });
    this.handing = new HandOff(this);
    this.drafts = new Drafts(this);
    this.colleagues = new Colleagues(this);
    this.handOff = this.handing.button;
    this.answers = new Answers(this);
    this.submit = h(
      "button",
      { type: "submit", class: "primary", id: "send" },
      icon("send"),
      h("span", { id: "send-words" }, "Send"),
    );
    const hint = h("span", { class: "soft hint" }, h("kbd", {}, apple ? "⌘" : "Ctrl"), " ", h("kbd", {}, "Enter"));
    this.form.append(
      h("div", { class: "composer-top" }, this.modes, this.legs, this.mute),
      this.drafts.list,
      h("div", { class: "editor" }, this.mirror, this.text),
      this.files.list,
      this.warning,
      this.colleagues.line,
      this.plate,
      this.handing.panel,
      this.answers.panel,
      h("div", { class: "composer-foot" }, this.files.button, this.files.picker, this.handOff, hint, this.submit),
    );
    this.files.listen(this.form, this.text);
    this.text.addEventListener("input", () => this.typed());
    this.text.addEventListener("scroll", () => (this.mirror.scrollTop = this.text.scrollTop), { passive: true });
    this.text.addEventListener("focus", () => this.beat());
    this.text.addEventListener("blur", () => this.beat());
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.send(event);
    });
    this.form.addEventListener("submit", (event) => this.send(event));
    this.modes.addEventListener("change", (event) => this.turn(event.target.value));
    this.legs.addEventListener("change", (event) => this.place(Number(event.target.value)));
  }

  // what is shown

  show(conversation) {
    const changed = this.conversation?.id !== conversation.id;
    if (changed) this.leave();
    this.conversation = conversation;
    this.places = placesOf(conversation, this.said);
    if (changed) this.restore();
    if (!this.places.some((leg) => leg.id === this.leg) || (!this.text.value && !this.chosen))
      this.leg = firstOf(this.places, conversation, this.said);
    this.drafts.show(conversation.drafts);
    this.render();
    this.answers.show(conversation);
    if (changed) this.examine();
    else if (this.plan) this.showPlan(this.plan);
  }

  leave() {
    if (this.conversation && this.told) hub.presence(this.conversation.id, false).catch(() => {});
    this.told = false;
    this.plan = null;
    this.chosen = false;
    this.said = null;
    this.obstructed = new Map();
    this.warning.hidden = true;
    this.colleagues.forget();
    this.handing.close();
    this.plans.cancel();
  }

  get speaks() {
    return this.places.some((leg) => leg.speaks);
  }

  get heard() {
    return [...new Set(this.places.map((leg) => this.desk.channelName(leg.channel)))].join(" and ");
  }

  get chosenLeg() {
    return this.places.find((leg) => leg.id === this.leg);
  }

  render() {
    const isPublic = this.chosenLeg?.visibility === "public";
    if (this.mode === "private" && !isPublic) this.mode = "reply";
    if (!this.speaks) this.mode = "note";
    this.mute.hidden = this.speaks;
    this.mute.textContent = `${this.heard}: nobody can be answered there. Leave a note, or go on in another conversation.`;
    this.form.hidden = !this.places.length || !this.desk.may("reply");
    this.form.dataset.mode = this.mode;
    this.form.dataset.visibility = this.mode === "reply" && isPublic ? "public" : "private";
    this.legs.hidden = this.mode === "note";
    this.offer(isPublic);
    this.handOff.hidden = this.files.button.hidden = this.mode === "note";
    if (this.mode === "note") this.handing.close();
    this.files.list.hidden = this.mode === "note" || !this.files.all.length;
    byId("send-words").textContent = this.mode === "reply" && isPublic ? "Send publicly" : SEND[this.mode];
    const person = called(this.conversation.customer.name);
    this.text.placeholder = this.mode === "note" ? "A note that only your colleagues see" : `Answer ${person}`;
    this.mark();
  }

  /** A choice is made anew only when it has itself changed: a live event takes away no focus, and no click that is
   * half done. */
  offer(isPublic) {
    const modes = MODES.filter(([mode]) => mode === "note" || (this.speaks && (mode === "reply" || isPublic)));
    choose(this.modes, this.mode, modes, ([mode, words]) => this.option(mode, words), ([mode]) => mode);
    choose(this.legs, this.leg, this.places, (leg) => this.chip(leg), (leg) => leg.id);
  }

  option(mode, words) {
    return h("label", {}, h("input", { type: "radio", name: "mode", value: mode }), h("span", {}, words));
  }

  chip(leg) {
    const against = this.obstructed.get(leg.id);
    const twins = this.places.filter(
      (one) => one.channel === leg.channel && one.visibility === leg.visibility && one !== leg,
    );
    const name = `${this.desk.channelName(leg.channel)}, ${leg.visibility}`;
    return h(
      "label",
      {
        class: "chip",
        title: against ?? leg.account,
        data: { visibility: leg.visibility, closed: against ? true : null },
      },
      h("input", { type: "radio", name: "leg", value: leg.id }),
      h(
        "span",
        {},
        icon(glyph(leg.network)),
        icon(leg.visibility),
        name,
        ...apart(leg, twins),
        leg.unproven && leg.visibility === "private" && h("span", { class: "soft" }, "not proven"),
        against && h("span", { class: "unseen" }, ` (not possible: ${against})`),
      ),
    );
  }

  mark() {
    this.mirror.replaceChildren(...marked(this.text.value, this.mode === "note" ? null : this.plan), "\n");
    this.mirror.scrollTop = this.text.scrollTop;
  }

  // what is written

  typed() {
    this.colleagues.typed();
    this.plan = null;
    this.mark();
    this.keep();
    this.plans();
    if (!this.warning.hidden && !this.text.value.includes(this.given)) this.warning.hidden = true;
  }

  fileChanged() {
    if (!this.conversation) return;
    this.plan = null;
    this.keep();
    this.plans();
  }

  get isEmpty() {
    return !this.text.value.trim() && (this.mode === "note" || !this.files.ready.length);
  }

  turn(mode) {
    this.mode = mode;
    this.changed();
  }

  place(leg) {
    this.leg = leg;
    this.chosen = true;
    this.handing.close();
    this.changed();
  }

  changed() {
    this.plan = null;
    this.plate.replaceChildren();
    this.render();
    this.answers.show(this.conversation);
    this.keep();
    this.plans();
  }

  get draftPlace() {
    return `draft:${this.desk.session.tenant}:${this.desk.session.agent}:${this.conversation.id}`;
  }

  keep() {
    const files = this.files.ready;
    if (!this.text.value && !files.length) return sessionStorage.removeItem(this.draftPlace);
    const { mode, leg } = this;
    return sessionStorage.setItem(this.draftPlace, JSON.stringify({ text: this.text.value, mode, leg, files }));
  }

  restore() {
    const kept = JSON.parse(sessionStorage.getItem(this.draftPlace) ?? "{}");
    this.text.value = kept.text ?? "";
    this.mode = kept.mode ?? "reply";
    this.leg = kept.leg ?? null;
    this.plate.replaceChildren();
    this.files.set(kept.files);
    this.plans();
  }

  saying() {
    const attachments = this.mode === "note" ? [] : this.files.ready;
    return { text: this.text.value, leg: this.leg, private: this.mode === "private", attachments };
  }

  // what the hub says to it

  async askPlan() {
    const asked = `${this.conversation.id} ${this.mode} ${JSON.stringify(this.saying())}`;
    this.asked = asked;
    if (this.mode === "note") return this.showPlan(null);
    if (!this.chosenLeg) return this.showPlan({ refusals: [UNCLEAR] });
    try {
      const plan = await hub.plan(this.conversation.id, this.saying());
      if (this.asked === asked) this.showPlan(plan);
    } catch (problem) {
      if (this.asked === asked && problem.status) this.showPlan({ refusals: [fromProblem(problem)] });
    }
    return null;
  }

  showPlan(plan) {
    this.plan = plan;
    this.mark();
    if (plan?.approvals?.length) byId("send-words").textContent = "Send for approval";
    else this.render();
    const print = JSON.stringify([plan, this.text.value, this.chosenLeg?.unproven]);
    if (print === this.printed && this.plate.hasChildNodes()) return;
    this.printed = print;
    const open = this.plate.querySelector("details")?.open;
    const lines = [this.doubt(), ...showPlan(plan, this.text.value)].filter(Boolean);
    this.plate.replaceChildren(...(!this.isEmpty || urgent(plan) ? lines : []));
    if (open) this.plate.querySelector("details")?.setAttribute("open", "");
  }

  /** Before somebody is told what is another's. */
  doubt() {
    const leg = this.mode === "note" ? null : this.chosenLeg;
    if (!leg?.unproven || leg.visibility !== "private") return null;
    const who = called(this.conversation.customer.name);
    const words = `Nothing proves that whoever reads this is ${who}. Before you tell anything personal, ask for a code.`;
    return h("p", { class: "plan-line loss", data: { rule: "unproven" } }, icon("question"), h("span", {}, words));
  }

  /** Which places are closed, found out beforehand so that nobody writes in vain. */
  async examine() {
    const asked = this.conversation.id;
    for (const leg of this.places) {
      const plan = await hub.plan(asked, { text: "?", leg: leg.id }).catch(() => null);
      if (this.conversation.id !== asked) return;
      const against = hindrances(plan)[0];
      if (against) this.obstructed.set(leg.id, `${against.reason}; ${against.remedy}`);
    }
    this.render();
  }

  async giveLink() {
    this.handOff.disabled = true;
    try {
      const { url, note, proves } = await hub.handOff(this.conversation.id, this.leg);
      this.insert(url);
      this.given = url;
      this.warning.replaceChildren(icon("warn"), h("span", {}, sentence(note)));
      this.warning.hidden = proves;
      announce(proves ? "The hand-off link is in your answer." : `The hand-off link is in your answer. ${note}`);
    } catch (problem) {
      toast(problem.message, "trouble");
    } finally {
      this.handOff.disabled = false;
    }
  }

  insert(words) {
    const { selectionStart: start, value } = this.text;
    const before = start > 0 && !/\s$/.test(value.slice(0, start)) ? " " : "";
    this.text.setRangeText(before + words, start, this.text.selectionEnd, "end");
    this.text.focus();
    this.typed();
  }

  // sending

  async send(event) {
    event.preventDefault();
    const text = this.text.value;
    if (this.mode !== "note" && this.files.underWay) return toast("A file is still being uploaded.");
    if (this.isEmpty) return this.text.focus();
    if (this.mode !== "note" && !this.chosenLeg) return this.legs.querySelector("input").focus();
    const against = hindrances(this.plan);
    if (against.length && this.mode !== "note") {
      announce(against.map((one) => `${one.reason}. ${one.remedy}`).join(" "));
      return this.text.focus();
    }
    if (this.mode !== "note" && !this.colleagues.passes()) return this.text.focus();
    const { id, customer } = this.conversation;
    const leg = this.chosenLeg;
    const kind = this.mode === "note" ? "private" : this.form.dataset.visibility;
    const draft = this.mode === "note" ? null : this.drafts.taken;
    const pending = {
      key: draft ? `draft.${draft}` : newKey(),
      draft,
      conversation: id,
      customer: customer.id,
      mode: this.mode,
      saying: { ...this.saying(), ...(this.mode === "note" ? {} : this.answers.began) },
      at: new Date().toISOString(),
      agent: this.desk.session.agent,
      text,
      direction: this.mode === "note" ? "internal" : "outbound",
      network: this.mode === "note" ? "internal" : leg.network,
      visibility: kind,
    };
    if (this.mode === "reply") this.said = answered(this.conversation, leg);
    this.clear();
    return this.deliver(pending);
  }

  clear() {
    this.text.value = "";
    this.answers.forget();
    if (this.mode !== "note") this.files.set();
    this.plan = null;
    this.chosen = false;
    this.warning.hidden = true;
    this.colleagues.forget();
    this.plate.replaceChildren();
    this.plans.cancel();
    this.asked = null;
    if (this.mode !== "reply") this.mode = "reply";
    this.keep();
    this.render();
    this.beat();
  }

  /** The same key again is the same message again: trying twice sends once. */
  async deliver(pending) {
    pending.lost = false;
    this.desk.timeline.expect(pending);
    try {
      if (pending.mode === "note") await hub.note(pending.conversation, pending.text, pending.key);
      else if (pending.draft) await hub.sendDraft(pending.draft, pending.saying);
      else if ((await hub.reply(pending.conversation, pending.saying, pending.key)).approval)
        toast("It waits for a colleague's approval.");
      await this.desk.refresh();
      this.desk.timeline.settle(pending);
    } catch (problem) {
      this.failed(pending, problem);
    }
  }

  failed(pending, problem) {
    if (!(problem instanceof Problem)) throw problem;
    this.desk.timeline.settle(pending);
    if (problem.status && problem.status < 500) {
      this.takeBack(pending);
      const { refusals, obstacles } = problem;
      this.showPlan(
        refusals.length || obstacles.length ? { refusals, obstacles } : { refusals: [fromProblem(problem)] },
      );
      announce(problem.message);
    } else {
      pending.lost = true;
      this.desk.timeline.expect(pending);
      announce(problem.message);
    }
  }

  /** Back into the box, unless something else has been begun there. */
  takeBack(pending) {
    this.desk.timeline.settle(pending);
    if (this.conversation.id !== pending.conversation || this.text.value) {
      const place = this.draftPlace.replace(this.conversation.id, pending.conversation);
      if (this.conversation.id !== pending.conversation)
        sessionStorage.setItem(
          place,
          JSON.stringify({
            text: pending.text,
            mode: pending.mode,
            leg: pending.saying.leg,
            files: pending.saying.attachments,
          }),
        );
      else toast("It was not sent; its text is kept as a draft behind what you are writing.", "trouble");
      return;
    }
    this.text.value = pending.text;
    if (pending.mode !== "note") this.files.set(pending.saying.attachments);
    this.mode = pending.mode;
    this.leg = pending.saying.leg;
    this.keep();
    this.render();
    this.text.focus();
  }

  /** Tells the colleagues who is at it. */
  beat() {
    if (!this.conversation || !this.desk.may("reply")) return;
    const answering = !document.hidden && (document.activeElement === this.text || this.text.value.trim() !== "");
    if (!answering && !this.told) return;
    this.told = answering;
    hub.presence(this.conversation.id, answering).catch(() => {});
  }

  focus(mode = "reply") {
    if (mode === "note" && this.mode !== "note") this.turn("note");
    this.text.focus();
  }
}

/** Shows the options of a choice with `value` taken; what an option looks like follows from the text of `render`. */
function choose(parent, value, options, render, valueOf) {
  const items = options.map((one) => {
    const node = render(one);
    return { key: String(valueOf(one)), print: node.outerHTML, render: () => node };
  });
  reconcile(parent, items);
  for (const input of parent.querySelectorAll("input")) input.checked = input.value === String(value);
}

/** What tells a place from its twins: the account, else when it was last spoken there. */
function apart(leg, twins) {
  if (!twins.length) return [];
  const sameAccount = twins.some((one) => one.account === leg.account);
  return [h("span", { class: "apart" }, sameAccount ? time(spokenAt(leg), "ago") : identifier(leg.account).value)];
}

const spokenAt = (leg) => leg.last_inbound ?? leg.opened_at;

/** 128 random bits; `crypto.randomUUID` is there on secure pages only. */
const newKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");

const fromProblem = (problem) => ({ rule: "problem", reason: problem.message, remedy: "" });
const sentence = (words) => (words ? `${words.charAt(0).toUpperCase()}${words.slice(1)}.` : "");
