// The queue: what to answer next first, or whoever has waited longest.

import { byId, debounce, h, icon, reconcile } from "./dom.js";
import { reasons, Sorting } from "./sorting.js";
import { time, urgency } from "./times.js";
import { badge, called, initials } from "./words.js";

const MOST_SEEN = 500; // conversations of which a browser remembers what was read

export class Queue {
  /** `desk`: `nameOf(agent)`, `session`, `filtered()`, `search(text)`. */
  constructor(desk) {
    this.desk = desk;
    this.list = byId("queue-list");
    this.status = "open";
    this.channel = "";
    this.waiting = false;
    this.text = "";
    this.current = null;
    this.shown = [];
    this.place = `socialsupport:seen:${desk.session.tenant}:${desk.session.agent}`;
    this.seen = JSON.parse(localStorage.getItem(this.place) ?? "{}");
    byId("filters").addEventListener("change", (event) => {
      this.status = event.target.value;
      desk.filtered();
    });
    byId("channel-filter").addEventListener("change", (event) => {
      this.channel = event.target.value;
      desk.filtered();
    });
    this.sorting = new Sorting(desk.session, () => desk.filtered());
    const search = byId("search-text");
    const look = debounce(() => desk.filtered(), 250);
    search.addEventListener("input", () => {
      this.text = search.value.trim();
      look();
    });
    byId("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.list.querySelector("a")?.focus();
    });
  }

  /** What to ask the hub for. */
  filter() {
    const status = { mine: "open" }[this.status] ?? this.status;
    const assignee = this.status === "mine" ? this.desk.session.agent : "";
    const waiting = this.waiting && "1";
    return { status, channel: this.channel, assignee, waiting, ...this.sorting.filter(status) };
  }

  channels(all) {
    const select = byId("channel-filter");
    select.replaceChildren(select.firstElementChild);
    select.append(...all.map((one) => h("option", { value: one.id }, one.title)));
    select.value = this.channel;
  }

  show(conversations, nothing = "Nobody is waiting. Enjoy the quiet.") {
    this.shown = conversations;
    this.render();
    const empty = byId("queue-empty");
    empty.textContent = this.text ? "Nobody found. Try a part of the name, the address or the handle." : nothing;
    empty.hidden = conversations.length > 0;
  }

  render() {
    if (["review", "approve"].includes(this.status) && !this.text) return; // the list shows something else
    reconcile(
      this.list,
      this.shown.map((one) => {
        const marks = {
          current: one.id === this.current,
          unread: this.isUnread(one),
          answering: this.desk.answering(one.id),
        };
        return { key: one.id, print: JSON.stringify([one, marks]), render: () => this.row(one, marks) };
      }),
    );
    const unread = this.shown.filter((one) => this.isUnread(one)).length;
    document.title = `${unread ? `(${unread}) ` : ""}Inbox`;
  }

  row(one, { current, unread, answering }) {
    return h(
      "li",
      {},
      h(
        "a",
        {
          class: "row",
          href: `#/${one.id}`,
          "aria-current": current ? "true" : false,
          data: { unread: unread || null, status: one.status },
        },
        h(
          "span",
          { class: "row-top" },
          unread && h("span", { class: "dot" }, h("span", { class: "unseen" }, "Unread. ")),
          h("span", { class: "row-name" }, called(one.customer.name)),
          waiting(one),
        ),
        h("span", { class: "row-excerpt" }, excerpt(one, this.desk)),
        reasons(one),
        one.failed && h("span", { class: "row-failed" }, `An answer failed: ${one.failed.reason ?? "nobody knows why"}`),
        h(
          "span",
          { class: "row-foot" },
          h("span", { class: "row-networks" }, (one.networks ?? []).map(badge)),
          answering.length > 0 && h("span", { class: "row-answering" }, `${answering.join(", ")} answering`),
          this.assignee(one),
        ),
      ),
    );
  }

  assignee(one) {
    if (!one.assignee) return null;
    const name = this.desk.nameOf(one.assignee) ?? one.assignee;
    return h(
      "span",
      { class: "avatar", title: `Assigned to ${name}` },
      h("span", { class: "unseen" }, `Assigned to ${name}`),
      h("span", { "aria-hidden": "true" }, initials(name)),
    );
  }

  /** Only what the customer said can be unread. */
  isUnread(one) {
    return one.last?.direction === "inbound" && one.status === "open" && !(this.seen[one.id] >= one.last.at);
  }

  read(conversation) {
    const last = conversation.last?.at;
    if (!last || this.seen[conversation.id] >= last) return;
    delete this.seen[conversation.id];
    this.seen[conversation.id] = last;
    const kept = Object.entries(this.seen).slice(-MOST_SEEN);
    this.seen = Object.fromEntries(kept);
    localStorage.setItem(this.place, JSON.stringify(this.seen));
    this.render();
  }

  select(conversation) {
    this.current = conversation;
    this.render();
    this.list.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
  }

  /** The one after (1) or before (-1) the current one. */
  beside(step) {
    const at = this.shown.findIndex((one) => one.id === this.current);
    const next = at < 0 ? (step > 0 ? 0 : this.shown.length - 1) : at + step;
    return this.shown[next]?.id ?? null;
  }
}

function waiting(one) {
  if (one.status === "resolved") return h("span", { class: "row-time" }, icon("check"), "resolved");
  if (!one.waiting_since) return time(one.updated_at, "ago", { class: "row-time" });
  return h(
    "span",
    { class: "waiting" },
    h("span", { class: "unseen" }, "Waiting for "),
    time(one.waiting_since, "since", { "data-urgency": urgency(one.waiting_since) }),
  );
}

function excerpt(one, desk) {
  if (!one.last) return one.subject ?? "";
  const { direction, text, state } = one.last;
  const trouble = { failed: "Not sent: ", uncertain: "May have been sent: " }[state] ?? "";
  const by = { outbound: "Us: ", internal: "Note: " }[direction] ?? "";
  return `${trouble || by}${text}`;
}
