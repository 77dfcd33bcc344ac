// The keyboard: single keys while nobody is typing, Escape everywhere.

import { h } from "./dom.js";
import { ask } from "./verdicts.js";

const KEYS = [
  ["j", "Next conversation"],
  ["k", "Previous conversation"],
  ["r", "Reply"],
  ["n", "Internal note"],
  ["e", "Resolve or reopen"],
  ["a", "Assign to me"],
  ["p", "About this person"],
  ["/", "Search"],
  ["Ctrl Enter", "Send"],
  ["Alt 1", "Put in the first answer that may fit; 2 the second"],
  ["Esc", "Leave the reply box, close what is open"],
  ["?", "These keys"],
];

export function showKeys() {
  const rows = KEYS.map(([keys, words]) => [
    h(
      "dt",
      {},
      keys.split(" ").map((key) => h("kbd", {}, key)),
    ),
    h("dd", {}, words),
  ]);
  return ask("Keyboard", () => [h("dl", { class: "keys" }, rows)]);
}

/** `does`: what each key does; `escape()`. */
export function listen(does, escape) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") return void escape(event);
    const typing = event.target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !does[event.key]) return;
    event.preventDefault();
    does[event.key]();
  });
}
