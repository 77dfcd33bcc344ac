// Answers that are there already, beside the reply box: why each is shown, and one key that puts it into the answer.

import { hub } from "./api.js";
import { announce, debounce, h, icon, reconcile } from "./dom.js";

const KINDS = { canned: "reply", article: "file", matter: "check" };
const apple = /Mac|iPhone|iPad/.test(navigator.platform);
const KEY = apple ? "⌥" : "Alt";

export class Answers {
  /** `composer`: `conversation`, `leg`, `mode`, `text`, `desk`, `insert(words)`. */
  constructor(composer) {
    this.composer = composer;
    this.items = [];
    this.list = h("ol", { class: "answers-list" });
    this.panel = h(
      "details",
      { class: "answers", id: "answers", hidden: true, open: true },
      h("summary", {}, "Answers that may fit"),
      this.list,
    );
    this.load = debounce(() => this.ask(), 300);
    composer.text.addEventListener("keydown", (event) => this.key(event));
  }

  /** Anew when another place is chosen, or the customer has written. */
  show(conversation) {
    const { leg, mode } = this.composer;
    const heard = conversation.legs.map((one) => one.last_inbound ?? "").join();
    const asked = `${conversation.id} ${leg} ${heard}`;
    this.panel.hidden = mode === "note" || !this.items.length;
    if (asked === this.asked || leg === null || !this.composer.desk.may("reply")) return;
    if (conversation.id !== this.shown) this.put([]);
    this.shown = conversation.id;
    this.asked = asked;
    this.load();
  }

  async ask() {
    const { asked } = this;
    const { conversation, leg } = this.composer;
    const found = await hub.answers(conversation.id, leg).catch(() => ({ answers: [] }));
    if (this.asked === asked) this.put(found.answers);
  }

  put(items) {
    this.items = items;
    this.panel.hidden = this.composer.mode === "note" || !items.length;
    reconcile(
      this.list,
      items.map((one, n) => ({ key: one.id, print: JSON.stringify([one, n]), render: () => this.row(one, n) })),
    );
  }

  row(one, n) {
    const missing = one.missing.length ? `Fill in: ${one.missing.join(", ")}.` : "";
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "target", data: { kind: one.kind }, on: { click: () => this.take(one) } },
        icon(KINDS[one.kind] ?? "file"),
        h(
          "span",
          { class: "target-words" },
          h("strong", {}, one.title, " ", n < 9 && h("kbd", {}, `${KEY} ${n + 1}`)),
          h("span", { class: "answer-text" }, one.text),
          h("small", {}, [sentence(one.why), missing].filter(Boolean).join(" ")),
        ),
      ),
    );
  }

  key(event) {
    const digit = event.code.match(/^Digit([1-9])$/)?.[1];
    if (!digit || !event.altKey || event.ctrlKey || event.metaKey) return;
    const one = this.items[Number(digit) - 1];
    if (!one || this.panel.hidden) return;
    event.preventDefault();
    this.take(one);
  }

  take(one) {
    this.taken = { id: one.id, conversation: this.composer.conversation.id };
    this.composer.insert(one.text);
    announce(`${one.title} is in your answer.`);
  }

  /** Which of them the answer began with; for the hub to know what became of it. */
  get began() {
    const mine = this.taken?.conversation === this.composer.conversation?.id && this.composer.text.value.trim();
    return mine ? { answer: this.taken.id } : {};
  }

  forget() {
    this.taken = null;
  }
}

const sentence = (words) => (words ? `${words.charAt(0).toUpperCase()}${words.slice(1)}.` : "");
