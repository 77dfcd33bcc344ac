// The hand-off: the button opens a choice of channels, each with its reasons, and one click carries it out.

import { hub } from "./api.js";
import { announce, h, icon, toast } from "./dom.js";
import { time } from "./times.js";
import { glyph } from "./words.js";

const HOW = {
  open: "Write privately there",
  leg: "Go on in the private thread",
  begin: "Write there first",
  link: "Give a link that leads there",
};

export class HandOff {
  /** `composer`: `conversation`, `leg`, `desk`; `giveLink()` puts a bare link into the answer. */
  constructor(composer) {
    this.composer = composer;
    this.button = h(
      "button",
      {
        type: "button",
        id: "hand-off",
        "aria-haspopup": "dialog",
        "aria-expanded": "false",
        on: { click: () => this.toggle() },
      },
      icon("handoff"),
      "Hand off",
    );
    this.panel = h("section", {
      id: "hand-off-choice",
      class: "hand-off-choice",
      role: "dialog",
      "aria-label": "Hand off to",
      hidden: true,
      on: { keydown: (event) => this.key(event) },
    });
  }

  toggle() {
    return this.panel.hidden ? this.open() : this.close();
  }

  async open() {
    const { conversation, leg } = this.composer;
    try {
      const found = await hub.targets(conversation.id, leg);
      if (this.composer.conversation.id !== conversation.id) return;
      this.panel.replaceChildren(...this.choices(found));
      this.panel.hidden = false;
      this.button.setAttribute("aria-expanded", "true");
      this.panel.querySelector(".target")?.focus();
    } catch (problem) {
      toast(problem.message, "trouble");
    }
  }

  close() {
    if (this.panel.hidden) return;
    this.panel.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }

  key(event) {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.close();
    this.button.focus();
  }

  choices({ targets, visibility, handoffs }) {
    const open = targets.filter((one) => one.how);
    const closed = targets.filter((one) => !one.how);
    const own = visibility === "public" ? "Anybody can read it, so it proves nothing by itself." : "You say it yourself.";
    const audience = visibility === "public" ? "everybody" : "the customer";
    const under = handoffs.filter((one) => one.open);
    return [
      under.length && h("ul", { class: "hand-offs-open" }, ...under.map((one) => h("li", {}, this.underWay(one)))),
      h("p", { class: "hand-off-audience" }, `Choosing a channel sends our words at once; ${audience} can read them.`),
      h("ul", { class: "hand-off-targets" }, ...open.map((one) => h("li", {}, this.choice(one)))),
      h(
        "button",
        { type: "button", class: "target", data: { channel: "" }, on: { click: () => this.bare() } },
        icon("handoff"),
        h("span", { class: "target-words" }, h("strong", {}, "A link in my answer"), h("small", {}, own)),
      ),
      closed.length && this.closedOnes(closed),
    ].filter(Boolean);
  }

  /** One that nobody has come by yet, and the way to take it back. */
  underWay(one) {
    const { desk } = this.composer;
    const to = one.to ? ` to ${desk.channelName(one.to)}` : ": a link";
    const words = `Handed off${to} by ${desk.nameOf(one.agent) ?? one.agent}`;
    const label = `Withdraw the hand-off${to}`;
    return [
      h("span", {}, words, " ", time(one.offered_at, "moment")),
      h(
        "button",
        { type: "button", class: "small", "aria-label": label, on: { click: () => this.withdraw(one) } },
        "Withdraw",
      ),
    ];
  }

  async withdraw(one) {
    try {
      await hub.withdraw(one.id);
      announce("The hand-off is withdrawn. Its link leads nowhere now.");
      await this.composer.desk.refresh();
      await this.open();
    } catch (problem) {
      toast(problem.message, "trouble");
    }
  }

  choice(one) {
    const why = [HOW[one.how] ?? one.how, ...one.reasons].join(" · ");
    const also = one.obstacles.map((other) => `Not the shorter way: ${other.reason}.`);
    return h(
      "button",
      {
        type: "button",
        class: "target",
        data: { channel: one.channel, how: one.how },
        on: { click: () => this.choose(one) },
      },
      icon(glyph(one.network)),
      h(
        "span",
        { class: "target-words" },
        h("strong", {}, this.composer.desk.channelName(one.channel)),
        h("small", {}, why),
        ...also.map((words) => h("small", { class: "soft" }, words)),
        ...one.says.map((said) => h("small", { class: `says ${said.visibility}` }, this.saying(said))),
      ),
    );
  }

  /** What the hand-off would say, and where. */
  saying({ channel, visibility, text }) {
    const place = visibility === "public" ? "In public" : "Privately";
    return `${place}, ${this.composer.desk.channelName(channel)}: “${text}”`;
  }

  closedOnes(closed) {
    const lines = closed.map((one) =>
      h(
        "li",
        { data: { channel: one.channel } },
        h("strong", {}, this.composer.desk.channelName(one.channel)),
        ` ${one.obstacles.map(({ reason, remedy }) => `${reason}; ${remedy}`).join(". ")}.`,
      ),
    );
    return h(
      "details",
      { class: "hand-off-closed" },
      h("summary", {}, closed.length === 1 ? "One is closed" : `${closed.length} are closed`),
      h("ul", {}, ...lines),
    );
  }

  bare() {
    this.close();
    this.composer.giveLink();
  }

  async choose(one) {
    const { conversation, leg, desk } = this.composer;
    for (const button of this.panel.querySelectorAll("button")) button.disabled = true;
    try {
      const done = await hub.handTo(conversation.id, leg, one.channel);
      this.close();
      announce(told(done, desk.channelName(one.channel)));
      await desk.refresh();
    } catch (problem) {
      toast(problem.message, "trouble");
      for (const button of this.panel.querySelectorAll("button")) button.disabled = false;
    }
  }
}

function told(done, name) {
  const then = done.how === "link" ? "Whoever comes with the link is asked for a code." : "";
  const unsaid = done.unsaid.length ? `The customer could not be told here: ${done.unsaid.join("; ")}.` : "";
  return [`Handed off to ${name}.`, then, unsaid].filter(Boolean).join(" ");
}
