// The messages on the page: recorded ones in the server's order, then those that are still on their way.

import { plain, rendered } from "./richtext.js";

const STATES = {
  sending: ["", "Sending…"],
  waiting: ["", "Waiting for a connection"],
  sent: ["✓", "Sent"],
  refused: ["!", "Not sent"],
};
const TIME = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

export class Log extends EventTarget {
  #items = new Map();

  constructor(list, scroll) {
    super();
    this.list = list;
    this.scroll = scroll;
  }

  clear() {
    this.#items.clear();
    this.list.replaceChildren();
  }

  greet(text) {
    if (!text) return;
    const item = element("li", "message ours greeting");
    item.append(element("div", "bubble", plain(text)));
    this.list.append(item);
  }

  // On its way: shown at once, below everything that is recorded.
  pending({ id, text, at }) {
    if (this.#items.has(id)) return;
    const item = this.#make({ id, text, at, mine: true });
    item.dataset.state = "sending";
    item.classList.add("pending");
    this.list.append(item);
    this.state(id, "sending");
    this.#down(true);
  }

  state(id, state, reason = "") {
    const item = this.#items.get(id);
    if (!item || item.dataset.state === "sent") return;
    item.dataset.state = state;
    const [sign, words] = STATES[state];
    const shown = item.querySelector(".state");
    shown.replaceChildren(element("span", "sign", sign), element("span", "words", reason ? `${words}: ${reason}` : words));
  }

  entry(entry) {
    this[`_${entry.kind}`]?.(entry);
  }

  _message(entry) {
    const stuck = this.#atBottom();
    const item = this.#items.get(entry.id) ?? this.#make(entry);
    const first = this.list.querySelector(".pending");
    // Moving what is already in its place would make a screen reader say it again.
    if (item !== first) this.list.insertBefore(item, first);
    item.classList.remove("pending");
    this.#day(item, entry.at);
    if (entry.mine) this.state(entry.id, "sent");
    if (entry.choice && entry.reply_to) this.#chosen(entry.reply_to, entry.choice);
    this.#down(stuck || entry.mine);
  }

  _edited(entry) {
    const item = this.#items.get(entry.id);
    if (!item) this._message(entry); // an edit may come before its original
    else if (item.classList.contains("deleted")) return;
    else item.querySelector(".text").replaceChildren(entry.mine ? plain(entry.text) : rendered(entry.html));
    this.#items.get(entry.id).querySelector(".edited").hidden = false;
  }

  _deleted({ id }) {
    const item = this.#items.get(id) ?? this.#make({ id, text: "", at: new Date().toISOString(), mine: false });
    item.classList.add("deleted");
    item.querySelector(".text").replaceChildren(element("em", "", "This message was deleted."));
    item.querySelector(".choices")?.remove();
  }

  #make({ id, text, html, name, at, mine, choices = [] }) {
    const item = element("li", `message ${mine ? "mine" : "ours"}`);
    const bubble = element("div", "bubble");
    bubble.append(element("p", "unseen", mine ? "You:" : `${name ?? "Support"}:`));
    bubble.append(element("div", "text", html === undefined ? plain(text) : rendered(html)));
    item.append(bubble);
    if (choices.length) item.append(this.#choices(id, choices));
    item.append(meta(mine ? "" : name, at));
    this.#items.set(id, item);
    return item;
  }

  #choices(id, choices) {
    const row = element("div", "choices");
    row.role = "group";
    row.ariaLabel = "Answers";
    for (const choice of choices) {
      const button = element("button", "choice", choice.title);
      button.type = "button";
      button.value = choice.value;
      button.addEventListener("click", () => {
        this.#chosen(id, choice.value);
        this.dispatchEvent(new CustomEvent("choice", { detail: { ...choice, reply_to: id } }));
      });
      row.append(button);
    }
    return row;
  }

  #chosen(id, value) {
    for (const button of this.#items.get(id)?.querySelectorAll(".choice") ?? []) {
      button.disabled = true;
      button.classList.toggle("chosen", button.value === value);
    }
  }

  #day(item, at) {
    const day = DAY.format(new Date(at));
    let before = item.previousElementSibling;
    while (before && !before.dataset.day) before = before.previousElementSibling;
    item.dataset.day = day;
    if (before?.dataset.day === day || (!before && day === DAY.format(new Date()))) return;
    if (!item.querySelector(".day")) item.prepend(element("p", "day", day));
  }

  #atBottom() {
    return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < 80;
  }

  #down(wanted) {
    if (wanted) this.scroll.scrollTop = this.scroll.scrollHeight;
  }
}

function meta(name, at) {
  const line = element("p", "meta");
  if (name) line.append(element("span", "name", name));
  const moment = new Date(at);
  const time = element("time", "", TIME.format(moment));
  time.dateTime = at;
  time.title = moment.toLocaleString();
  const edited = element("span", "edited", "edited");
  edited.hidden = true;
  line.append(time, edited, element("span", "state"));
  return line;
}

export function element(tag, classes = "", ...content) {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  made.append(...content);
  return made;
}
