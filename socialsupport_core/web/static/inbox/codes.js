// One-time codes: how each stands, and asking for one between two accounts of whoever this may be.

import { hub } from "./api.js";
import { h, icon, toast } from "./dom.js";
import { time } from "./times.js";
import { ask, attempt } from "./verdicts.js";
import { called, kindGlyph, identifier, plural, told } from "./words.js";

const STATES = {
  open: ["clock", "Waits"],
  proven: ["check", "Proven"],
  spent: ["stop", "Void: wrong too often"],
  expired: ["clock", "Expired"],
  replaced: ["undo", "Replaced by a newer one"],
};
let soon = 0;

/** The section of the person's panel; `found` as the hub answers `challenge`. */
export function codes(found, desk) {
  clearTimeout(soon);
  if (!found) return null;
  const { challenges, ends } = found;
  const pairs = pairsOf(ends);
  const may = desk.may("reply");
  if (!challenges.length && !(may && pairs.length)) return null;
  renewAt(challenges, desk);
  const name = (account) => told(account, ends.find((one) => one.account === account)?.handle);
  return h(
    "section",
    { id: "codes" },
    h("h3", {}, "One-time codes"),
    challenges.length > 0 && h("ul", { class: "evidence codes" }, challenges.map((one) => row(one, name, desk))),
    may && pairs.length > 0 && h("p", { class: "choice-buttons" }, opener(ends, desk)),
  );
}

/** When the next one runs out the panel says so by itself. */
function renewAt(challenges, desk) {
  const waits = challenges.filter((one) => one.state === "open").map((one) => Date.parse(one.expires_at));
  if (waits.length) soon = setTimeout(() => desk.loadPerson(), Math.max(1000, Math.min(...waits) - Date.now() + 1000));
}

function opener(ends, desk) {
  const click = () => askCode(ends, desk);
  return h("button", { type: "button", id: "ask-code", "aria-haspopup": "dialog", on: { click } }, icon("question"), "Ask for a code");
}

function row(one, name, desk) {
  const [glyph, words] = STATES[one.state] ?? ["question", one.state];
  const left = one.state === "open" ? `, ${plural(one.tries_left, "try", "tries")} left` : "";
  const moment = one.state === "open" ? [`Good until ${clock(one.expires_at)}`] : [time(one.ended_at ?? one.expires_at, "ago")];
  return h(
    "li",
    { data: { state: one.state, challenge: one.id } },
    h("p", {}, "Told to ", h("strong", {}, name(one.told)), ", to be typed by ", h("strong", {}, name(one.expected))),
    h("p", { class: "because" }, icon(glyph), h("span", {}, h("b", {}, `${words}${left}`), ". ", ...moment)),
    one.state === "open" && identifier(one.expected).kind === "phone" && desk.may("reply") && hearing(one, desk),
  );
}

const clock = (moment) => new Date(moment).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** What the customer says by telephone the agent types. */
function hearing(one, desk) {
  const said = h("input", {
    type: "text",
    inputmode: "numeric",
    autocomplete: "off",
    maxlength: 20,
    "aria-label": "The code that the customer says",
    placeholder: "What they say",
  });
  const submit = async (event) => {
    event.preventDefault();
    try {
      await hub.hearCode(one.id, said.value);
      toast("That was the code.");
    } catch (problem) {
      toast(problem.message, "trouble");
    }
    await desk.loadPerson();
  };
  return h("form", { class: "hearing", on: { submit } }, said, h("button", { type: "submit", class: "small" }, "Check"));
}

/** Every way in which a code can go: told in private to one, said by another. */
function pairsOf(ends) {
  const tells = ends.filter((one) => one.tells);
  const says = ends.filter((one) => one.says);
  return tells.flatMap((from) => says.filter((to) => to.account !== from.account).map((to) => [from, to]));
}

function askCode(ends, desk) {
  return ask("Ask for a one-time code", (close) => {
    const pairs = pairsOf(ends);
    const complaint = h("p", { class: "complaint", role: "alert", hidden: true });
    const toldTo = choice("code-told", "Told in private to", unique(pairs.map(([from]) => from)), (one) => tellWords(one, desk));
    const says = h("div", {});
    const submit = h("button", { type: "submit", class: "primary" }, "Send the code");
    const offer = () => {
      const from = toldTo.querySelector(":checked").value;
      const open = pairs.filter(([one]) => one.account === from).map(([, to]) => to);
      says.replaceChildren(choice("code-says", "Typed by", unique(open), (one) => sayWords(one, desk)));
    };
    toldTo.addEventListener("change", offer);
    offer();
    const send = async (event) => {
      event.preventDefault();
      const [from, to] = [toldTo, says].map((one) => one.querySelector(":checked").value);
      submit.disabled = true;
      const done = (answer) => {
        close(answer);
        toast("The code is on its way to the customer.");
        desk.refresh();
        desk.loadPerson();
      };
      await attempt(() => hub.askCode(desk.current.id, from, to), complaint, done);
      submit.disabled = false;
    };
    const hint = "We send six digits to the one account and ask for them at the other. They are good for ten minutes and five tries; whoever has both accounts is one person.";
    return [h("form", { on: { submit: send } }, h("p", { class: "soft" }, hint), toldTo, says, complaint, h("footer", {}, submit))];
  });
}

function choice(name, legend, ends, words) {
  const rows = ends.map((one, index) =>
    h(
      "li",
      {},
      h(
        "label",
        {},
        h("input", { type: "radio", name, value: one.account, checked: index === 0 }),
        icon(kindGlyph(identifier(one.account).kind)),
        h("span", {}, h("strong", {}, told(one.account, one.handle)), h("span", { class: "soft" }, ` ${words(one)}`)),
      ),
    ),
  );
  return h("fieldset", { class: "code-ends" }, h("legend", {}, legend), h("ul", { class: "choices" }, rows));
}

const unique = (ends) => [...new Map(ends.map((one) => [one.account, one])).values()];

const named = (one) => (one.name ? `${called(one.name)}, ` : "");
const tellWords = (one, desk) =>
  `${named(one)}${desk.channelName(one.tells.channel)}${one.tells.how === "begin" ? ", we write first" : ""}`;
const SAYS = { public: "in public", private: "in private", telephone: "by telephone: you type what they say" };
const sayWords = (one, desk) =>
  `${named(one)}${one.says.how === "telephone" ? "" : `${desk.channelName(one.says.channel)}, `}${SAYS[one.says.how]}`;
