// Who this is, and why we believe it. Every join has its evidence, and every verdict can be undone.

import { hub } from "./api.js";
import { codes } from "./codes.js";
import { byId, h, icon, toast } from "./dom.js";
import { time } from "./times.js";
import { told } from "./told.js";
import { badge, called, identifier, kind, kindGlyph, network, plural, proof, sayable, tier } from "./words.js";

export class Person {
  /** `desk`: `may(scope)`, `nameOf`, `open`, `closePerson`, `askLink(other)`, `askSplit()`, `undo(verdict, words)`. */
  constructor(desk) {
    this.desk = desk;
    this.root = byId("person");
  }

  show(customer, explained, conversation, asked) {
    const { id: shownId, timeline, context: facts, moves, legs } = conversation;
    const print = JSON.stringify([customer, explained, shownId, timeline.length, facts, moves, legs.length, asked]);
    if (print === this.print) return;
    this.print = print;
    this.handles = new Map([...explained.others, ...explained.accounts].map((one) => [one.identifier, one.handle]));
    const opened = new Set([...this.root.querySelectorAll("details[open]")].map((one) => one.id));
    const held = document.activeElement?.id;
    const shown = [
      this.head(customer),
      told(conversation, this.desk),
      this.identifiers(customer),
      this.reasons(explained),
      codes(asked, this.desk),
      this.suggestions(explained, customer),
      this.apart(explained),
      ...crm(customer.crm),
      context(customer, conversation),
      this.conversations(customer, conversation),
      this.moves(conversation),
      this.history(customer, explained),
    ].filter(Boolean);
    this.root.replaceChildren(...shown);
    for (const id of opened) byId(id)?.setAttribute("open", "");
    if (held && this.root.querySelector(`#${CSS.escape(held)}`)) byId(held).focus();
  }

  clear() {
    this.print = null;
    this.root.replaceChildren();
  }

  head(customer) {
    const close = h(
      "button",
      {
        type: "button",
        class: "icon close-person",
        id: "close-person",
        "aria-label": "Close",
        on: { click: () => this.desk.closePerson() },
      },
      icon("close"),
    );
    const handles = customer.accounts.filter((one) => one.handle).map((one) => `@${one.handle}`);
    return h(
      "header",
      { class: "person-head" },
      h("h2", { id: "person-title", tabindex: -1 }, called(customer.name)),
      close,
      handles.length > 0 && h("p", { class: "soft" }, [...new Set(handles)].join(", ")),
      this.desk.may("link") &&
        h(
          "p",
          { class: "person-actions" },
          this.button("link", "Link", () => this.desk.askLink()),
          customer.accounts.length > 1 && this.button("split", "Split", () => this.desk.askSplit()),
        ),
    );
  }

  button(glyph, words, click) {
    return h(
      "button",
      { type: "button", id: `ask-${glyph}`, "aria-haspopup": "dialog", on: { click } },
      icon(glyph),
      words,
    );
  }

  identifiers(customer) {
    return section(
      "Known as",
      h(
        "ul",
        { class: "identifiers" },
        customer.accounts.map((one) =>
          h(
            "li",
            { title: one.identifier },
            icon(kindGlyph(one.kind)),
            h(
              "span",
              { class: "identifier" },
              h("span", { class: "value" }, sayable(one.value, one.handle)),
              h("span", { class: "soft" }, kind(one.kind), " since ", time(one.since, "day")),
            ),
          ),
        ),
      ),
    );
  }

  reasons(explained) {
    if (!explained.evidence.length)
      return section("Why one person", h("p", { class: "soft" }, "One account only; nothing had to be joined."));
    this.sure = new Set(explained.evidence.filter((one) => one.tier === "human" || one.tier === "verified").map(ends));
    const rows = explained.evidence.map((one) =>
      this.evidence(one, one.id === explained.weakest?.id && explained.evidence.length > 1),
    );
    const change = explained.would_change ?? [];
    return section(
      "Why one person",
      h("p", { class: "soft verdict" }, `${capital(plainly(explained.verdict, explained))}.`),
      h("ul", { class: "evidence" }, rows),
      change.length > 0 &&
        details(
          "would-change",
          "What would change it",
          h(
            "ul",
            { class: "soft changes" },
            change.map((words) => h("li", {}, `${capital(plainly(words, explained))}.`)),
          ),
        ),
    );
  }

  evidence(one, weakest) {
    const [glyph, words] = tier(one.tier);
    const who = this.desk.nameOf(one.agent);
    const why =
      one.tier === "human"
        ? `${who ?? "An agent"} linked them. `
        : `${one.proof === "handoff_token" && one.tier !== "verified" ? "Not proven yet" : words}: ${proof(one.proof)}${who ? `, from ${who}` : ""}. `;
    return h(
      "li",
      {},
      pair(one.between, this.handles),
      h("p", { class: "because" }, icon(glyph), h("span", {}, why, time(one.at, "ago"))),
      weakest && h("span", { class: "tag" }, "Weakest link"),
      one.note && h("p", { class: "soft" }, `“${one.note}”`),
      h("p", { class: "choice-buttons" }, this.confirm(one), this.undo(one)),
    );
  }

  /** What nobody has proven an agent may know: from then on it counts as proven. */
  confirm(one) {
    if (!this.desk.may("link") || one.tier !== "asserted" || this.sure.has(ends(one))) return null;
    const click = () => this.desk.confirm(one.between);
    return h(
      "button",
      { type: "button", class: "small", id: `confirm-${one.id}`, on: { click } },
      icon("check"),
      "They are one",
      h("span", { class: "unseen" }, ` ${one.between.join(" and ")}`),
    );
  }

  origin(one) {
    return one.tier === "human"
      ? `${this.desk.nameOf(one.agent) ?? "An agent"} linked them`
      : capital(proof(one.proof));
  }

  undo(one) {
    if (!this.desk.may("link")) return null;
    const verdict = one.source.startsWith("verdict:") ? one.source : one.id;
    const words = verdict === one.id ? "Does not count" : "Undo";
    return h(
      "button",
      { type: "button", class: "small undo", id: `undo-${one.id}`, on: { click: () => this.desk.undo(verdict, one) } },
      icon("undo"),
      words,
      h("span", { class: "unseen" }, ` ${one.between.join(" and ")}`),
    );
  }

  suggestions(explained, customer) {
    const mine = new Set(customer.accounts.map((one) => one.identifier));
    const open = explained.refused.filter((one) => one.between.some((end) => !mine.has(end))); // others joined them
    if (!open.length) return null;
    const rows = open.map((one) => {
      const other = one.between.find((end) => !mine.has(end));
      const link =
        other &&
        this.desk.may("link") &&
        h(
          "button",
          { type: "button", class: "small", id: `suggest-${one.id}`, on: { click: () => this.desk.askLink(other) } },
          icon("link"),
          "Link",
        );
      const apart =
        other &&
        one.code !== "apart" &&
        this.desk.may("link") &&
        h(
          "button",
          {
            type: "button",
            class: "small",
            id: `apart-${one.id}`,
            on: { click: () => this.desk.decide(reviewOf(one), "apart", "Kept apart. It can be undone below.") },
          },
          icon("split"),
          "Not the same",
        );
      return h(
        "li",
        {},
        pair(one.between, this.handles),
        h(
          "p",
          { class: "because" },
          icon("stop"),
          h("span", {}, `${this.origin(one)}: ${one.rule}. `, time(one.at, "ago")),
        ),
        h("p", { class: "choice-buttons" }, link, apart, other && this.look(other, one)),
      );
    });
    return section("Not joined", h("ul", { class: "evidence" }, rows));
  }

  /** To what the other account has written: whoever is to decide wants to read it. */
  look(other, one) {
    const open = async () => {
      try {
        const { conversations } = await hub.customer(other);
        if (conversations.length) this.desk.open(conversations[0].id);
        else toast("Nothing has been heard from it so far.");
      } catch (problem) {
        toast(problem.message, "trouble");
      }
    };
    return h("button", { type: "button", class: "as-link", id: `look-${one.id}`, on: { click: open } }, "Look");
  }

  apart(explained) {
    if (!explained.forbidden.length) return null;
    const verdicts = Map.groupBy ? Map.groupBy(explained.forbidden, (one) => one.source) : grouped(explained.forbidden);
    const rows = [...verdicts.values()].map((all) => {
      const one = all[0];
      const words = `${this.desk.nameOf(one.agent) ?? one.agent} said that these are different people. `;
      return h(
        "li",
        {},
        all.map((each) => pair(each.between, this.handles)),
        h("p", { class: "because" }, icon("split"), h("span", {}, words, time(one.at, "ago"))),
        this.undo(one),
      );
    });
    return section("Kept apart", h("ul", { class: "evidence" }, rows));
  }

  conversations(customer, conversation) {
    const others = customer.conversations.filter((one) => one.id !== conversation.id);
    if (!others.length) return null;
    const rows = others.map((one) =>
      h(
        "li",
        {},
        h("a", { href: `#/${one.id}` }, one.subject ?? one.last?.text ?? "Conversation"),
        h("p", { class: "soft" }, one.networks.map(badge), ` ${one.status}, `, time(one.updated_at, "ago")),
        this.desk.may("link") &&
          one.customer.id === customer.id &&
          h(
            "button",
            { type: "button", class: "small", id: `merge-${one.id}`, on: { click: () => this.desk.mergeHere(one.id) } },
            icon("link"),
            "Merge into this one",
          ),
      ),
    );
    return section("Other conversations", h("ul", { class: "others" }, rows));
  }

  /** What was merged into this conversation, split from it or moved, and the way to split it. */
  moves(conversation) {
    const done = conversation.moves.filter((one) => !one.undone_at);
    const may = this.desk.may("link");
    const several = conversation.legs.length > 1 || conversation.entries.length > 1;
    if (!done.length && !(may && several)) return null;
    const rows = done.map((one) =>
      h(
        "li",
        {},
        h(
          "p",
          { class: "because" },
          icon(MOVED[one.kind]?.[0] ?? "handoff"),
          h("span", {}, this.moveWords(one, conversation), " ", time(one.at, "ago")),
        ),
        may &&
          one.kind !== "parted" &&
          h(
            "button",
            {
              type: "button",
              class: "small undo",
              id: `undo-${one.id}`,
              on: { click: () => this.desk.undoMove(one.id) },
            },
            icon("undo"),
            one.kind === "reunited" ? "Keep apart" : "Undo",
            h("span", { class: "unseen" }, ` ${this.moveWords(one, conversation)}`),
          ),
      ),
    );
    const part =
      may &&
      several &&
      h(
        "button",
        { type: "button", class: "small", id: "ask-part", "aria-haspopup": "dialog", on: { click: () => this.desk.askPart() } },
        icon("split"),
        "Divide this conversation",
      );
    const list = rows.length > 0 && h("ul", { class: "evidence" }, rows);
    return section("This conversation", list, part && h("p", { class: "choice-buttons part" }, part));
  }

  moveWords(one, conversation) {
    const [, into, out] = MOVED[one.kind] ?? ["handoff", "Moved here.", "Moved away."];
    const words = one.target === conversation.id ? into : out;
    return one.agent ? `${this.desk.nameOf(one.agent) ?? one.agent}: ${words}` : words;
  }

  history(customer, explained) {
    const taken = explained.retracted.map((one) =>
      h(
        "li",
        {},
        pair(one.between, this.handles),
        h(
          "p",
          { class: "because" },
          icon("undo"),
          h("span", {}, `${capital(proof(one.proof))}; taken back by ${this.desk.nameOf(one.by) ?? one.by}`),
        ),
      ),
    );
    return h(
      "div",
      { class: "person-more" },
      taken.length > 0 && details("taken-back", `Taken back (${taken.length})`, h("ul", { class: "evidence" }, taken)),
      details(
        "ids",
        "Customer ids",
        h("p", { class: "ids" }, customer.id, h("span", { class: "soft" }, " current")),
        customer.aliases.map((one) =>
          h("p", { class: "ids" }, one, h("span", { class: "soft" }, " earlier, still answers")),
        ),
      ),
    );
  }
}

const ends = (one) => [...one.between].sort().join(" ");

const MOVED = {
  merged: ["link", "another conversation merged into this one.", "merged into another."],
  split: ["split", "made a conversation of its own.", "a part made a conversation of its own."],
  moved: ["handoff", "a part moved here.", "a part moved to another."],
  reunited: ["link", "Two customers turned out to be one.", "Two customers turned out to be one."],
  parted: ["split", "Its customer turned out to be two.", "A part was another customer's."],
  brought: ["handoff", "A hand-off link brought a thread here.", "A hand-off link took a thread away."],
};

/** The item of the review queue that is about this pair: the pair's numbers begin the evidence's id. */
const reviewOf = (one) => `rev_${one.id.split("-").slice(0, 2).join("-")}`;

function crm(records) {
  return (records ?? []).map((one) =>
    section(
      `In ${one.crm}`,
      h("p", {}, one.name ?? one.contact),
      h(
        "dl",
        { class: "facts" },
        Object.entries(one.fields ?? {}).flatMap(([name, value]) => [
          h("dt", {}, name.replaceAll("_", " ")),
          h("dd", {}, String(value)),
        ]),
      ),
    ),
  );
}

function context(customer, conversation) {
  const touches = conversation.timeline.map((one) => one.interaction);
  const newest = (pick) =>
    touches
      .map(pick)
      .filter((value) => value !== undefined && value !== null)
      .at(-1);
  const spoken = touches.filter((one) => one.direction === "inbound");
  const language = newest((one) => (one.direction === "inbound" ? (one.language ?? one.author.language) : null));
  const followers = newest((one) => (one.direction === "inbound" ? one.reach?.followers : null));
  const facts = [
    ["First contact", time(customer.accounts.map((one) => one.since).sort()[0], "day")],
    ["Has written", plural(spoken.length, "time")],
    ["Over", [...new Set(spoken.map((one) => network(one.network)))].join(", ")],
    language && ["Language", languageName(language)],
    followers !== undefined && ["Followers", followers.toLocaleString()],
    ...(conversation.cases ?? []).map((one) => ["Case", `${one.case} in ${one.crm}`]),
  ].filter(Boolean);
  return section(
    "Context",
    h(
      "dl",
      { class: "facts" },
      facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
    ),
  );
}

function languageName(tag) {
  try {
    return new Intl.DisplayNames(undefined, { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

function pair(between, handles) {
  const ends = between.map((written) => {
    const { kind: name, value } = identifier(written);
    const said = sayable(value, handles.get(written));
    return h("span", { class: "end", title: written }, icon(kindGlyph(name)), h("span", { class: "value" }, said));
  });
  return h("p", { class: "pair" }, ends[0], h("span", { class: "soft" }, "and"), ends[1]);
}

/** What the hub explains, with accounts and proofs as people say them. */
function plainly(words, { accounts, others, weakest }) {
  const step = weakest ? words.replace(weakest.proof, proof(weakest.proof)) : words;
  const said = step.replace(/\S+-[0-9a-f]{20} \(([^()]+)\)/g, "the step between $1");
  const longestFirst = [...accounts, ...others].sort((a, b) => b.identifier.length - a.identifier.length);
  const name = (one) => sayable(identifier(one.identifier).value, one.handle);
  return longestFirst.reduce((all, one) => all.replaceAll(one.identifier, name(one)), said);
}

const section = (title, ...children) => h("section", {}, h("h3", {}, title), ...children);
const details = (id, title, ...children) => h("details", { id }, h("summary", {}, title), ...children);
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function grouped(all) {
  const groups = new Map();
  for (const one of all) groups.set(one.source, [...(groups.get(one.source) ?? []), one]);
  return groups;
}
