// What the customer has told already, so that nobody asks twice. It is for agents, and is never sent by itself.

import { h, icon } from "./dom.js";
import { time } from "./times.js";
import { glyph, network } from "./words.js";

export function told(conversation, desk) {
  const facts = conversation.context;
  if (!facts.length) return null;
  const shown = facts.filter((one) => one.state !== "removed");
  const removed = facts.filter((one) => one.state === "removed");
  return h(
    "section",
    { class: "told" },
    h("h3", {}, "Already told"),
    shown.length > 0 && h("ul", { class: "told-list" }, shown.map((one) => row(one, conversation, desk))),
    removed.length > 0 &&
      h(
        "details",
        { id: "told-removed" },
        h("summary", {}, `Removed (${removed.length})`),
        h("ul", { class: "told-list" }, removed.map((one) => row(one, conversation, desk))),
      ),
  );
}

function row(one, conversation, desk) {
  const where = one.conversation === conversation.id ? "" : ", in another conversation";
  const key = `${one.kind}-${one.value}`;
  return h(
    "li",
    { data: { kind: one.kind, state: one.state } },
    h("p", { class: "told-value" }, h("span", { class: "soft" }, `${one.label} `), h("strong", {}, one.value)),
    h(
      "p",
      { class: "soft told-source" },
      icon(glyph(one.network)),
      h(
        "span",
        {},
        `${network(one.network)}${one.visibility === "public" ? ", in public" : ""}${where}, `,
        time(one.at, "ago"),
        by(one, desk),
      ),
    ),
    desk.may("reply") && h("p", { class: "told-buttons" }, buttons(one, desk, key)),
  );
}

function by(one, desk) {
  if (one.state === "told") return "";
  const who = desk.nameOf(one.agent) ?? one.agent;
  return one.state === "removed" ? `; removed by ${who}` : `; ${who} corrected “${one.told}”`;
}

function buttons(one, desk, key) {
  const about = h("span", { class: "unseen" }, ` ${one.label} ${one.value}`);
  const make = (words, click) =>
    h(
      "button",
      { type: "button", class: "as-link", id: `${words.toLowerCase()}-${key}`, on: { click } },
      words,
      about.cloneNode(true),
    );
  const restore = make("Restore", () => desk.changeContext(one, { restore: true }, "Restored."));
  if (one.state === "removed") return [restore];
  const correct = make("Correct", () => desk.askCorrection(one));
  const remove = make("Remove", () => desk.changeContext(one, {}, "Removed. It can be restored below."));
  return one.state === "corrected" ? [correct, restore, remove] : [correct, remove];
}
