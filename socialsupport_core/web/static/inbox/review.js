// What the machine may not decide: pairs that may be one person, with the reasons, and three buttons.

import { hub } from "./api.js";
import { byId, h, icon, reconcile, toast } from "./dom.js";
import { time } from "./times.js";
import { called, identifier, kind, kindGlyph, proof, sayable, tier } from "./words.js";

const KINDS = {
  conflict: ["warn", "A rule forbids what proof says"],
  one_sided: ["handoff", "Came with a link, not proven yet"],
  public_token: ["public", "Came with a link that anybody could use"],
  suggestion: ["question", "Somebody says so"],
  proposal: ["person", "Much alike"],
  oversized: ["warn", "More than a machine may join"],
  shared: ["split", "Several have this in common"],
};
const DONE = { link: "Linked.", apart: "Kept apart.", later: "Put off for a week." };
const NOTHING = "Nothing to review. What joins by proof joins by itself.";

export class Review {
  /** `desk`: `may(scope)`, `judged(words)`. */
  constructor(desk) {
    this.desk = desk;
    this.list = byId("queue-list");
    this.items = [];
    this.decided = new Map();
  }

  async load() {
    const { reviews } = await hub.reviews();
    const waiting = new Set(reviews.map((one) => one.id));
    const kept = this.items.filter((one) => this.decided.has(one.id) && !waiting.has(one.id));
    for (const id of this.decided.keys()) if (waiting.has(id)) this.decided.delete(id);
    this.items = [...reviews, ...kept];
    this.render();
    byId("queue-empty").textContent = NOTHING;
    byId("queue-empty").hidden = this.items.length > 0;
  }

  /** What was decided in this sight of the queue can be taken back in it. */
  forget() {
    this.decided.clear();
    this.items = [];
  }

  render() {
    reconcile(
      this.list,
      this.items.map((one) => {
        const done = this.decided.get(one.id) ?? null;
        return { key: one.id, print: JSON.stringify([one, done]), render: () => this.row(one, done) };
      }),
    );
  }

  row(one, done) {
    const [glyph, words] = KINDS[one.kind] ?? ["question", one.reason];
    return h(
      "li",
      { class: "review", data: { kind: one.kind, done } },
      h("p", { class: "review-kind" }, icon(glyph), words),
      ends(one),
      h("ul", { class: "review-why" }, reasons(one)),
      one.remedy && h("p", { class: "soft" }, `It takes ${one.remedy}.`),
      done ? this.undone(one, done) : this.buttons(one),
    );
  }

  buttons(one) {
    const open =
      one.conversation &&
      h(
        "a",
        { class: "review-open", href: `#/${one.conversation}` },
        "Look",
        h("span", { class: "unseen" }, ` at ${names(one)}`),
      );
    if (!this.desk.may("link")) return h("p", { class: "review-buttons" }, open);
    const verdicts = one.kind === "shared" ? ["apart", "later"] : ["link", "apart", "later"];
    return h(
      "p",
      { class: "review-buttons" },
      verdicts.map((verdict) => this.button(one, verdict)),
      open,
    );
  }

  button(one, verdict) {
    const words = { link: "Same person", apart: one.kind === "shared" ? "Leave apart" : "Not the same", later: "Later" };
    return h(
      "button",
      {
        type: "button",
        class: `small${verdict === "link" ? " primary" : ""}`,
        id: `${verdict}-${one.id}`,
        on: { click: () => this.decide(one, verdict) },
      },
      words[verdict],
      h("span", { class: "unseen" }, `: ${names(one)}`),
    );
  }

  undone(one, done) {
    return h(
      "p",
      { class: "review-buttons", role: "status" },
      icon("check"),
      h("span", {}, DONE[done]),
      h(
        "button",
        { type: "button", class: "small undo", id: `undo-${one.id}`, on: { click: () => this.decide(one, "undo") } },
        icon("undo"),
        "Undo",
        h("span", { class: "unseen" }, `: ${names(one)}`),
      ),
    );
  }

  async decide(one, decision) {
    try {
      await hub.decide(one.id, decision);
      if (decision === "undo") this.decided.delete(one.id);
      else this.decided.set(one.id, decision);
      this.render();
      await this.desk.judged(decision === "undo" ? "Undone." : DONE[decision]);
    } catch (problem) {
      toast(problem.message, "trouble");
    }
  }
}

const names = (one) => one.between.map((end) => called(end.name ?? end.identifier)).join(" and ");

function ends(one) {
  return h(
    "ul",
    { class: "review-ends" },
    one.between.map((end) => {
      const { kind: name, value } = identifier(end.identifier);
      return h(
        "li",
        { title: end.identifier },
        icon(kindGlyph(name)),
        h("span", {}, h("strong", {}, called(end.name ?? sayable(value, end.handle))), " "),
        h("span", { class: "soft" }, end.name ? sayable(value, end.handle) : kind(name)),
      );
    }),
  );
}

function reasons(one) {
  const told = unlike(one.evidence).map((each) => {
    const [, words] = tier(each.tier);
    return h("li", {}, `${words}: ${proof(each.proof)}, `, time(each.at, "ago"), `. ${capital(each.rule)}.`);
  });
  const alike = (one.reasons ?? []).slice(0, 4).map((words) => h("li", {}, capital(words)));
  const link = one.kind === "one_sided" ? [h("li", {}, capital(one.rule), ".")] : [];
  return [...told, ...alike, ...link];
}

/** The same reason for several pairs is told once. */
function unlike(evidence) {
  const found = new Map(evidence.map((one) => [[one.tier, one.proof, one.rule].join(), one]));
  return [...found.values()].slice(0, 4);
}

const capital = (text) => (text ? text.charAt(0).toUpperCase() + text.slice(1) : "");
