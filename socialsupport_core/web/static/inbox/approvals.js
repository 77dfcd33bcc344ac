// What waits for a second person: in its conversation above the reply box, and as a list for those who may approve.

import { hub } from "./api.js";
import { byId, h, icon, reconcile, toast } from "./dom.js";
import { time } from "./times.js";

const STATES = {
  waiting: "Waits for approval",
  refused: "Was not approved",
  expired: "Nobody approved it in time",
};
const NOTHING = "Nothing waits for approval.";

export class Approvals {
  /** `desk`: `session`, `nameOf`, `channelName`, `may(scope)`, `refresh()`, `refreshQueue()`. */
  constructor(desk) {
    this.desk = desk;
    this.here = h("ul", { class: "approvals", id: "approvals", "aria-label": "Replies that wait for approval" });
    byId("composer").before(this.here);
    if (desk.may("approve")) this.offer();
  }

  /** One more list beside the queue. */
  offer() {
    const review = document.querySelector('input[name="status"][value="review"]').closest("label");
    const input = h("input", { type: "radio", name: "status", value: "approve" });
    review.after(h("label", {}, input, h("span", {}, "Approve")));
  }

  async load() {
    const { approvals } = await hub.approvals();
    reconcile(byId("queue-list"), this.items(approvals, true));
    byId("queue-empty").textContent = NOTHING;
    byId("queue-empty").hidden = approvals.length > 0;
  }

  show(found) {
    reconcile(this.here, this.items(found.approvals ?? [], false));
    this.here.hidden = !found.approvals?.length;
  }

  items(approvals, listed) {
    return approvals.map((one) => ({
      key: one.id,
      print: JSON.stringify(one),
      render: () => this.row(one, listed),
    }));
  }

  row(one, listed) {
    const by = one.decided_by && one.state === "refused" ? ` by ${this.desk.nameOf(one.decided_by)}` : "";
    const text = this.decides(one) && one.text ? this.editable(one) : h("blockquote", { class: "approval-text" }, one.text ?? "(a file)");
    return h(
      "li",
      { class: "approval", data: { state: one.state } },
      h(
        "p",
        { class: "approval-head" },
        icon(one.state === "waiting" ? "clock" : "stop"),
        h("strong", {}, `${STATES[one.state] ?? one.state}${by}`),
        h("span", { class: "soft" }, `${this.desk.nameOf(one.agent)}, ${one.visibility}, ${this.desk.channelName(one.channel)} `),
        time(one.asked_at, "ago"),
      ),
      text,
      one.word && h("p", { class: "approval-word" }, one.word),
      h("ul", { class: "approval-why" }, one.rules.map((rule) => h("li", {}, [rule.reason, rule.remedy].map(sentence).join(" ")))),
      one.wrote_since && h("p", { class: "plan-line loss" }, icon("warn"), "The customer has written since."),
      one.state === "waiting" && this.buttons(one, listed, text),
    );
  }

  decides(one) {
    return one.state === "waiting" && this.desk.may("approve") && one.agent !== this.desk.session.agent;
  }

  editable(one) {
    const box = h("textarea", { class: "approval-text", rows: 3, "aria-label": "What goes out" });
    box.value = one.text;
    return box;
  }

  /** As it was written, or as it stands in the box now. */
  approve(one, text) {
    const changed = text.value !== undefined && text.value !== one.text;
    return hub.approve(one.id, { anyway: one.wrote_since, ...(changed ? { text: text.value } : {}) });
  }

  buttons(one, listed, text) {
    const look = listed && h("a", { class: "approval-open", href: `#/${one.conversation}` }, "Look");
    if (one.agent === this.desk.session.agent)
      return h("p", { class: "approval-buttons" }, this.button("Withdraw", () => hub.withdraw(one.id), "Withdrawn."), look);
    if (!this.desk.may("approve")) return look && h("p", { class: "approval-buttons" }, look);
    const word = h("input", { type: "text", "aria-label": "Why it is refused", placeholder: "Why, if you refuse it", maxlength: 1000 });
    return h(
      "div",
      { class: "approval-buttons" },
      this.button("Approve", () => this.approve(one, text), "Approved: it goes out.", "primary"),
      word,
      this.button("Refuse", () => this.refuse(one, word), "Refused: its author is told."),
      look,
    );
  }

  button(words, work, done, kind = "") {
    return h("button", { type: "button", class: kind, on: { click: () => this.carryOut(work, done) } }, words);
  }

  refuse(one, word) {
    if (word.value.trim()) return hub.refuse(one.id, word.value);
    word.focus();
    throw new Error("Say in a word why.");
  }

  async carryOut(work, done) {
    try {
      await work();
      toast(done);
    } catch (problem) {
      toast(problem.message, "trouble");
    }
    this.desk.refreshQueue();
    await this.desk.refresh();
  }
}

const sentence = (words) => (words ? `${words.charAt(0).toUpperCase()}${words.slice(1)}.` : "");
