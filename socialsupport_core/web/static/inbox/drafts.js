// Drafts: answers that somebody, mostly a machine, has written for a person to look at, change and send.

import { hub } from "./api.js";
import { h, icon, reconcile, toast } from "./dom.js";
import { time } from "./times.js";

export class Drafts {
  constructor(composer) {
    this.composer = composer;
    this.list = h("ol", { class: "drafts", id: "drafts", "aria-label": "Drafts that wait for you", hidden: true });
    this.inBox = new Map(); // by conversation, the draft whose text is in the box
  }

  /** The draft that is in the box of the open conversation. */
  get taken() {
    return this.inBox.get(this.composer.conversation.id) ?? null;
  }

  show(drafts) {
    this.open = drafts ?? [];
    const known = new Set(this.open.map((one) => one.id));
    if (this.taken && (!known.has(this.taken) || !this.composer.text.value)) this.forget();
    this.render();
  }

  forget() {
    this.inBox.delete(this.composer.conversation.id);
  }

  render() {
    const waiting = this.open.filter((one) => one.id !== this.taken);
    this.list.hidden = !waiting.length;
    reconcile(
      this.list,
      waiting.map((one) => ({ key: one.id, print: JSON.stringify(one), render: () => this.item(one) })),
    );
  }

  item(one) {
    const who = this.composer.desk.nameOf(one.agent);
    const maker = one.by_machine ? `${who}, a machine, suggests` : `${who} suggests`;
    const button = (words, click) => h("button", { type: "button", on: { click } }, words);
    return h(
      "li",
      { class: "draft", data: { machine: one.by_machine ? true : null } },
      h("p", { class: "draft-by" }, icon("internal"), h("b", {}, maker), " ", time(one.at, "ago")),
      h("p", { class: "draft-text" }, one.text),
      one.why && h("p", { class: "soft draft-why" }, `Why: ${one.why}`),
      h(
        "p",
        { class: "draft-do" },
        button("Put into the box", () => this.take(one)),
        button("Discard", () => this.discard(one)),
      ),
    );
  }

  take(one) {
    const { composer } = this;
    const isEmpty = !composer.text.value.trim();
    if (isEmpty && composer.places.some((leg) => leg.id === one.leg)) composer.leg = one.leg;
    if (isEmpty) composer.mode = one.private ? "private" : "reply";
    composer.render();
    composer.insert(one.text);
    this.inBox.set(composer.conversation.id, one.id);
    this.render();
  }

  async discard(one) {
    try {
      await hub.discardDraft(one.id);
      this.open = this.open.filter((each) => each.id !== one.id);
      this.render();
      toast("Discarded.");
    } catch (problem) {
      toast(problem.message, "trouble");
    }
  }
}
