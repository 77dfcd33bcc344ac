// One touch in the timeline: who, where, who else can read it, what became of it.

import { attachment } from "./api.js";
import { fromHtml, h, icon } from "./dom.js";
import { seconds, time } from "./times.js";
import { verbs } from "./verbs.js";
import { badge, bytes, called, fileState, network, plural, STATES, touch, visibility } from "./words.js";

const VERDICTS = [
  ["sent", "It was sent"],
  ["failed", "It was not"],
  ["queued", "Send again"],
];

/** `desk`: `nameOf(agent)`, `customerName()`, `settle(part, state)`, `retry(pending)`, `drop(pending)`, `rewrite(entry)`,
 * `takeBack(entry)`.
 * `follows`: it goes on from the one before; `foreign`: it is of another conversation; `guest`: nothing proves who wrote it. */
export function entryItem(entry, desk, { follows = false, foreign = false, guest = false } = {}) {
  return {
    key: entry.id,
    print: JSON.stringify([entry, follows, foreign, guest]),
    render: () => render(entry, desk, follows, foreign, guest),
  };
}

function render(entry, desk, follows, foreign, guest) {
  const touched = entry.interaction;
  const shown = { direction: touched.direction, visibility: touched.thread.visibility, kind: touched.kind };
  const body = entry.deleted_at ? [gone(entry)] : content(entry);
  return h(
    "li",
    {
      class: "entry",
      data: { ...shown, id: entry.id, state: entry.state, follows: follows || null, foreign: foreign || null },
    },
    h(
      "article",
      { class: "bubble", "aria-label": label(entry, desk, guest) },
      head(entry, desk, guest),
      ...body,
      ...ending(entry, desk),
      ...verbs(entry, desk),
    ),
  );
}

export function author(entry, desk, guest = false) {
  const { direction, author } = entry.interaction;
  if (direction !== "inbound") return desk.nameOf(entry.agent) ?? author.name ?? "Us";
  return author.name ?? (author.handle ? `@${author.handle}` : guest ? "Visitor" : called(desk.customerName()));
}

function label(entry, desk, guest) {
  const { direction, network: where, thread } = entry.interaction;
  if (direction === "internal") return `Internal note by ${author(entry, desk)}`;
  return `${author(entry, desk, guest)}${guest ? ", not proven," : ""} on ${network(where)}, ${thread.visibility}`;
}

function head(entry, desk, guest) {
  const { direction, network: where, thread, kind, author: by } = entry.interaction;
  const internal = direction === "internal";
  return h(
    "header",
    { class: "entry-head" },
    h("span", { class: "author" }, author(entry, desk, guest)),
    by.is_bot && h("span", { class: "tag" }, "Bot"),
    guest && h("span", { class: "tag" }, "Not proven"),
    badge(where),
    !internal && visibility(thread.visibility),
    touch(kind) && h("span", { class: "tag" }, touch(kind)),
    time(entry.at, "moment", { class: "entry-time" }),
  );
}

const unproven = (touched) =>
  touched.doubt &&
  h("p", { class: "fact doubt" }, icon("warn"), h("span", {}, h("strong", {}, "Author not proven: "), touched.doubt));

const gone = (entry) => h("p", { class: "gone" }, "Deleted by its author, ", time(entry.deleted_at, "ago"));

function content(entry) {
  const touched = entry.interaction;
  return [
    unproven(touched),
    touched.subject && h("p", { class: "subject" }, touched.subject),
    touched.rating !== undefined && h("p", { class: "rating" }, icon("star"), `${touched.rating} stars`),
    touched.duration !== undefined && h("p", { class: "fact" }, icon("clock"), `Took ${seconds(touched.duration)}`),
    entry.html ? fromHtml(entry.html) : touched.text && h("p", { class: "raw" }, touched.text),
    touched.choice && h("p", { class: "fact" }, icon("check"), "Pressed a button"),
    touched.location && place(touched.location),
    entry.attachments && h("ul", { class: "files", "aria-label": "Attachments" }, entry.attachments.map(file)),
    entry.reactions && reactions(entry.reactions),
  ];
}

function place({ latitude, longitude, name, address }) {
  const where = [name, address].filter(Boolean).join(", ") || `${latitude}, ${longitude}`;
  return h("p", { class: "fact" }, icon("pin"), where);
}

function file(one) {
  const name = one.name ?? `Attachment (${one.media_type ?? "unknown type"})`;
  const facts = [one.size !== undefined && bytes(one.size), fileState(one.state)].filter(Boolean).join(", ");
  const shown = [icon("file"), h("span", { class: "file-name" }, name), facts && h("span", { class: "soft" }, facts)];
  const tip = one.reason ?? null;
  if (one.state !== "stored") return h("li", { class: "file", title: tip, data: { state: one.state } }, ...shown);
  return h(
    "li",
    {},
    h("a", { class: "file", href: attachment(one.id), download: "", data: { state: "stored" } }, ...shown),
  );
}

function reactions(all) {
  const counted = new Map();
  for (const one of all) counted.set(one, (counted.get(one) ?? 0) + 1);
  const chips = [...counted].map(([one, count]) =>
    h("li", {}, one, count > 1 && h("span", { class: "soft" }, ` ${count}`)),
  );
  return h("ul", { class: "reactions", "aria-label": "Reactions" }, chips);
}

function ending(entry, desk) {
  const edited = entry.edited_at && !entry.deleted_at;
  return [
    edited && h("p", { class: "soft edited" }, "Edited ", time(entry.edited_at, "ago")),
    entry.state && entry.interaction.direction === "outbound" && !entry.deleted_at && outcome(entry, desk),
  ];
}

function outcome(entry, desk) {
  const known = entry.delivery ?? {};
  const state = known.state === "sending" ? "sending" : entry.state;
  const [glyph, words] = STATES[state] ?? ["clock", state];
  return h(
    "footer",
    { class: "outcome", data: { state } },
    h("p", { class: "outcome-line" }, icon(glyph), h("span", {}, words), retryNote(known)),
    known.reason &&
      ["failed", "retrying", "uncertain"].includes(state) &&
      h("p", { class: "outcome-why" }, known.reason),
    ...choices(entry, state, desk),
  );
}

const retryNote = (known) =>
  known.next_at ? h("span", { class: "soft" }, `${plural(known.attempts, "try", "tries")} so far`) : null;

function choices(entry, state, desk) {
  if (entry.pending?.lost) {
    const again = h("button", { type: "button", on: { click: () => desk.retry(entry.pending) } }, "Try again");
    const drop = h(
      "button",
      { type: "button", on: { click: () => desk.drop(entry.pending) } },
      "Back to the reply box",
    );
    return [h("p", { class: "outcome-buttons" }, again, drop)];
  }
  const part = entry.delivery?.part ?? entry.interaction.client_key;
  if (!part || !["uncertain", "failed"].includes(state)) return [];
  const offered = state === "uncertain" ? VERDICTS : VERDICTS.slice(2);
  const buttons = offered.map(([verdict, words]) =>
    h("button", { type: "button", data: { verdict }, on: { click: () => desk.settle(part, verdict) } }, words),
  );
  return [h("p", { class: "outcome-buttons" }, ...buttons)];
}
