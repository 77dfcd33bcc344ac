// Colleagues at the same conversation: a word while both write, and a question before both have answered.

import { announce, h, icon } from "./dom.js";

const JUST_NOW = 30_000; // milliseconds

export class Colleagues {
  constructor(composer) {
    this.composer = composer;
    this.line = h("p", { class: "plan-line loss", id: "colleagues", role: "status", hidden: true });
    this.begun = null; // the newest answer that was there when this one was begun
    this.asked = null; // the answer of a colleague after which it was asked
    this.names = [];
  }

  /** Who is answering beside us. */
  present(names) {
    this.names = names ?? [];
    this.render();
  }

  typed() {
    if (this.composer.isEmpty) this.begun = null;
    else this.begun ??= this.newest()?.id ?? "";
    this.render();
  }

  forget() {
    this.begun = null;
    this.asked = null;
    this.render();
  }

  /** Whether it may go now; the first time after a colleague's answer it is asked instead. */
  passes() {
    const crossing = this.crossing();
    if (!crossing || this.asked === crossing.id) return true;
    this.asked = crossing.id;
    const who = this.composer.desk.nameOf(crossing.agent);
    const said = (crossing.interaction.text ?? "").slice(0, 80);
    this.tell(`${who} has just answered: “${said}”. Press send again if yours is still wanted.`);
    announce(`${who} has just answered. Press send again if yours is still wanted.`);
    return false;
  }

  /** A colleague's answer that came while this one was written, or a moment ago. */
  crossing() {
    const { session } = this.composer.desk;
    const newest = this.newest();
    if (!newest?.agent || newest.agent === session.agent) return null;
    const isRecent = Date.now() - new Date(newest.at) < JUST_NOW;
    return isRecent || (this.begun !== null && newest.id !== this.begun) ? newest : null;
  }

  newest() {
    const entries = this.composer.conversation?.entries ?? [];
    return entries.filter((one) => one.interaction.direction === "outbound").at(-1);
  }

  render() {
    if (this.asked) return;
    const isShown = this.names.length > 0 && !this.composer.isEmpty;
    if (!isShown) this.line.hidden = true;
    else this.tell(`${this.names.join(" and ")} ${this.names.length > 1 ? "are" : "is"} writing here, too.`);
  }

  tell(words) {
    if (!this.line.hidden && this.line.textContent === words) return;
    this.line.replaceChildren(icon("warn"), h("span", {}, words));
    this.line.hidden = false;
  }
}
