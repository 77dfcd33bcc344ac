// What an agent does to what was said: another text in its place, or gone. In a dialog, for the customer sees it.

import { hub } from "./api.js";
import { h } from "./dom.js";
import { ask } from "./verdicts.js";
import { network } from "./words.js";

/** The buttons below a message of ours; `entry.can` says what its channel takes. */
export function verbs(entry, desk) {
  const offered = [
    ["edit", "Edit", () => desk.rewrite(entry)],
    ["delete", "Delete", () => desk.takeBack(entry)],
  ].filter(([verb]) => entry.can?.includes(verb));
  if (!offered.length) return [];
  const buttons = offered.map(([verb, words, click]) =>
    h("button", { type: "button", class: "small", data: { verb }, on: { click } }, words),
  );
  return [h("p", { class: "entry-verbs" }, ...buttons)];
}

/** Resolves to true if it is under way. */
export function askEdit(entry) {
  return ask(`Edit this on ${network(entry.interaction.network)}`, (close) => {
    const text = h("textarea", { id: "edit-text", rows: 5, autofocus: true });
    text.value = entry.interaction.text;
    return form(close, "Edit", [h("label", { for: "edit-text" }, "What it says from now on"), text], () =>
      hub.edit(entry.id, text.value.trim(), crypto.randomUUID()),
    );
  });
}

/** Resolves to true if it is under way. */
export function askDelete(entry) {
  const said = h("blockquote", { class: "soft" }, entry.interaction.text ?? "A message without a text");
  const told = h("p", {}, "The customer may have read it already.");
  return ask(`Delete this on ${network(entry.interaction.network)}?`, (close) =>
    form(close, "Delete", [said, told], () => hub.remove(entry.id, crypto.randomUUID())),
  );
}

function form(close, words, content, act) {
  const complaint = h("p", { class: "complaint", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: "primary" }, words);
  const send = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      await act();
      close(true);
    } catch (problem) {
      complaint.textContent = problem.message;
      complaint.hidden = false;
      submit.disabled = false;
    }
  };
  return [h("form", { on: { submit: send } }, ...content, complaint, h("footer", {}, submit))];
}
