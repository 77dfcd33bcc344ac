// Plays the customers: one network at a time, one person at a time. What is shown is what that person could see.

import { debounce, h, icon, reconcile, toast } from "../../static/inbox/dom.js";
import { tick, time } from "../../static/inbox/times.js";
import { glyph, network as title } from "../../static/inbox/words.js";

const PULSE = 1000; // milliseconds
const LINK = /https?:\/\/[^\s<>"]+/g;
const HANDOFF = /\/h\/([a-z2-7]{26})\b/;

const FAULTS = [
  ["duplicate", "Twice", "so many webhooks come two times"],
  ["lose", "Lost", "so many wait until anything changes here"],
  ["delay", "Late", "seconds by which every webhook is late"],
  ["reorder", "Out of order", "webhooks that wait are shuffled"],
  ["rate_limit", "Busy", "so many of our calls get 429"],
  ["unavailable", "Down", "so many of our calls get 503"],
  ["expire", "Logged out", "so many calls are refused as if the token had expired"],
  ["drop", "Cut off", "so many calls are done, but the answer never comes"],
];
const NEWCOMERS = { phone: "+15550199", email: "robin@mail.example" };
const HINTS = {
  x: "Whatever is posted, everybody reads.",
  email: "Answers go to the last mail from us; a subject begins a new matter.",
  phone: "What the agent notes after the call, or what is said on the tape.",
  webchat: "The real chat is a page of its own; here somebody can speak in it without opening it.",
};

const state = { networks: [], network: null, person: {}, place: {}, replyTo: null, to: "", known: "" };
const byId = (id) => document.getElementById(id);
const current = () => state.networks.find((one) => one.network === state.network);
const person = () => state.person[state.network];

async function ask(path, body) {
  const request = body
    ? { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }
    : {};
  const response = await fetch(new URL(path, document.baseURI), request);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail || answer.title || "The demo did not take it.");
  return answer;
}

async function refresh() {
  try {
    const found = await ask("people/state");
    byId("stage-state").textContent = "";
    state.networks = found.networks.filter((one) => one.places.length); // elsewhere customers do not speak
    state.webchat = found.webchat ?? {};
    if (!current()) begin();
    else render();
  } catch {
    byId("stage-state").textContent = "The demo does not answer.";
  }
}

function begin() {
  const wanted = location.hash.slice(1);
  pick(state.networks.some((one) => one.network === wanted) ? wanted : state.networks[0].network);
}

function pick(network) {
  if (!state.networks.some((one) => one.network === network)) return;
  state.network = network;
  state.replyTo = null;
  state.known = "";
  state.person[network] ??= current().people[0] ?? NEWCOMERS[network] ?? "robin";
  state.place[network] ??= current().places[0].id;
  history.replaceState(null, "", `#${network}`);
  buildSay();
  buildFaults();
  render();
  byId("feed").scrollTop = byId("feed").scrollHeight;
}

// what is seen

function render() {
  const here = current();
  reconcile(
    byId("networks"),
    state.networks.map((one) => tab(one)),
  );
  reconcile(byId("cast"), [...new Set([...here.people, person()])].map(member));
  byId("screen-title").textContent = `${title(here.network)}, as ${person()} sees it`;
  byId("screen-note").textContent = HINTS[here.network] ?? "";
  const doors = here.network === "webchat" ? chats() : [];
  reconcile(byId("doors"), doors);
  showFeed(here);
  showFaults(here);
}

function tab(one) {
  const selected = one.network === state.network;
  return {
    key: one.network,
    print: String(selected),
    render: () =>
      h(
        "button",
        {
          type: "button",
          role: "tab",
          id: `tab-${one.network}`,
          "aria-selected": String(selected),
          "aria-controls": "stage",
          tabindex: selected ? 0 : -1,
          on: { click: () => pick(one.network) },
        },
        icon(glyph(one.network)),
        title(one.network),
      ),
  };
}

function member(name) {
  const pressed = name === person();
  const choose = () => {
    state.person[state.network] = name;
    state.replyTo = null;
    buildSay();
    render();
  };
  return {
    key: name,
    print: String(pressed),
    render: () =>
      h(
        "li",
        {},
        h(
          "button",
          { type: "button", "aria-pressed": String(pressed), on: { click: choose } },
          icon("person"),
          h("span", { class: "who" }, name),
        ),
      ),
  };
}

function chats() {
  const links = [
    ["guest", "Open the web chat as a guest"],
    ["signed", "Open it on the shop's page, signed in"],
  ];
  return links
    .filter(([kind]) => state.webchat[kind])
    .map(([kind, words]) => ({
      key: kind,
      print: state.webchat[kind],
      render: () => h("a", { href: state.webchat[kind], target: "_blank", rel: "noopener" }, words, icon("handoff")),
    }));
}

function showFeed(here) {
  const feed = byId("feed");
  const ended = feed.scrollHeight - feed.scrollTop - feed.clientHeight < 60;
  const heard = here.heard?.[person()] ?? (here.said ?? []).filter((one) => [person(), "us"].includes(one.author));
  const items = heard.map((one) => ({
    key: `${person()} ${one.id}`,
    print: JSON.stringify(one),
    render: () => message(one, here),
  }));
  const nothing = {
    key: "nothing",
    print: person(),
    render: () => h("li", { class: "soft" }, `${person()} has not said anything here yet.`),
  };
  reconcile(feed, items.length ? items : [nothing]);
  if (ended) feed.scrollTop = feed.scrollHeight;
  showAnswers(heard);
}

function message(one, here) {
  const place = here.places.find((each) => each.id === one.place);
  const who = one.author === "us" ? "Acme" : one.author;
  const side = one.author === person() ? "mine" : one.author === "us" ? "us" : "other";
  const isPublic = place?.visibility === "public";
  const under = [
    h("span", {}, who),
    isPublic && h("span", { class: "chosen-place" }, "Public"),
    one.edited && h("span", {}, "edited"),
    time(one.at, "moment"),
  ];
  const reply =
    isPublic &&
    here.network === "x" &&
    !one.deleted &&
    h("button", { type: "button", class: "as-link", on: { click: () => replyTo(one) } }, "Answer this");
  const token = one.text.match(HANDOFF)?.[1];
  return h(
    "li",
    { class: `${side}${isPublic ? " public" : ""}` },
    h("p", { class: "words" }, one.deleted ? h("em", { class: "soft" }, "deleted") : linked(one.text)),
    token && one.author === "us" && followLink(token),
    h("p", { class: "under" }, under, reply),
  );
}

function linked(text) {
  const pieces = [];
  let done = 0;
  for (const found of text.matchAll(LINK)) {
    pieces.push(
      text.slice(done, found.index),
      h("a", { href: found[0], target: "_blank", rel: "noopener noreferrer" }, found[0]),
    );
    done = found.index + found[0].length;
  }
  return [...pieces, text.slice(done)];
}

/** The newest message's buttons. */
function showAnswers(heard) {
  const last = heard.at(-1);
  const choices = last?.author === "us" ? (last.choices ?? []) : [];
  const line = byId("answers");
  line.hidden = !choices.length;
  reconcile(
    line,
    choices.map((one) => ({
      key: one,
      print: last.id,
      render: () => h("button", { type: "button", on: { click: () => press(one) } }, one),
    })),
  );
}

const press = (choice) => say(choice, state.network === "webchat" ? { choice } : {});

// following a hand-off link on a simulated network

function followLink(token) {
  const ways = h("p", { class: "ways" });
  const find = async () => {
    const page = await fetch(new URL(`h/${token}`, document.baseURI));
    const parsed = new DOMParser().parseFromString(await page.text(), "text/html");
    const links = [...parsed.querySelectorAll("main a")];
    if (!links.length) return ways.replaceChildren("This link does not work any more.");
    return ways.replaceChildren(...links.map((link) => way(link.getAttribute("href"), link.textContent, token)));
  };
  ways.append(h("button", { type: "button", class: "small", on: { click: find } }, icon("handoff"), "Follow the link"));
  return ways;
}

function way(href, words, token) {
  const go = { "mailto:": byMail, "https:": () => elsewhere(href, token) }[new URL(href, document.baseURI).protocol];
  if (!go || new URL(href, document.baseURI).origin === location.origin) {
    return h("a", { href, target: "_blank", rel: "noopener" }, words);
  }
  return h("button", { type: "button", class: "small", on: { click: () => go(href) } }, words);
}

function byMail(href) {
  state.to = decodeURIComponent(href.slice("mailto:".length).split("?")[0]);
  pick("email");
  buildSay(false);
  byId("words").focus();
}

/** A link that begins with the token on Telegram, or brings it along in a direct message. */
async function elsewhere(href, token) {
  const target = /t\.me$/.test(new URL(href).hostname) ? "telegram" : "x";
  const who = person();
  if (!state.networks.some((one) => one.network === target)) return window.open(href, "_blank", "noopener");
  state.person[target] = who;
  pick(target);
  return target === "telegram" ? say(`/start ${token}`, {}, "dm") : say(token, {}, "dm");
}

// what is said

function replyTo(one) {
  state.replyTo = one;
  state.place[state.network] = one.place;
  buildSay();
  byId("words").focus();
}

/** What was filled in stays until it is sent. */
function buildSay(keep = true) {
  const here = current();
  const more = byId("say-more");
  const filled = keep && more.dataset.network === here.network ? [...more.querySelectorAll("input[autocomplete]")] : [];
  more.dataset.network = here.network;
  const places =
    here.places.length > 1 &&
    h(
      "fieldset",
      { class: "segments small places" },
      h("legend", { class: "unseen" }, "Where"),
      here.places.map(place),
    );
  more.replaceChildren(...[places, ...fields(here), state.replyTo && answering()].flat().filter(Boolean));
  for (const { name, value } of filled) if (value) more.querySelector(`[name="${name}"]`).value = value;
  byId("words").placeholder = here.network === "phone" ? "What was said" : `Say something as ${person()}`;
}

function place(one) {
  const checked = one.id === state.place[state.network];
  const choose = () => {
    state.place[state.network] = one.id;
    state.replyTo = null;
    buildSay();
    byId("say-more").querySelector(":checked").focus();
  };
  return h(
    "label",
    {},
    h("input", { type: "radio", name: "place", value: one.id, checked, on: { change: choose } }),
    h("span", {}, one.title),
  );
}

/** What a network takes beside the text. */
function fields(here) {
  const field = (name, words, props) =>
    h("label", {}, words, h("input", { name, type: "text", autocomplete: "off", ...props }));
  if (here.network === "email")
    return [
      field("subject", "Subject", { placeholder: "as before" }),
      field("to", "To", { value: state.to, placeholder: "as before", spellcheck: "false" }),
    ];
  if (here.network === "phone")
    return [field("duration", "Seconds", { type: "number", min: 1, max: 36000, value: 120 })];
  return [];
}

function answering() {
  const stop = () => {
    state.replyTo = null;
    buildSay();
  };
  return h(
    "p",
    { class: "replying" },
    `Answers “${state.replyTo.text.slice(0, 60)}”`,
    h("button", { type: "button", class: "as-link", on: { click: stop } }, "or not"),
  );
}

function extras() {
  const given = [...byId("say-more").querySelectorAll("input:not([type=radio])")].filter((one) => one.value);
  const more = Object.fromEntries(
    given.map((one) => [one.name, one.type === "number" ? Number(one.value) : one.value]),
  );
  return state.replyTo ? { ...more, reply_to: state.replyTo.id } : more;
}

async function say(text, more, where = state.place[state.network]) {
  byId("complaint").hidden = true;
  try {
    await ask("people/speak", { network: state.network, person: person(), text, place: where, more });
    state.replyTo = null;
    state.to = "";
    buildSay(false);
    await refresh();
    byId("feed").scrollTop = byId("feed").scrollHeight;
    return true;
  } catch (problem) {
    byId("complaint").textContent = problem.message;
    byId("complaint").hidden = false;
    return false;
  }
}

// trouble

function buildFaults() {
  const rows = FAULTS.map(([name, words, why]) => {
    const yesNo = name === "reorder";
    const input = h(
      "input",
      yesNo
        ? { type: "checkbox", name }
        : { type: "number", name, min: 0, max: 1000, step: name === "delay" ? 0.5 : 1 },
    );
    return h("label", {}, h("span", {}, words, h("span", { class: "soft" }, why)), input);
  });
  byId("faults").replaceChildren(...rows);
}

/** A number that somebody is changing is left alone. */
function showFaults(here) {
  const print = JSON.stringify(here.faults);
  if (print === state.known) return;
  state.known = print;
  for (const input of byId("faults").querySelectorAll("input")) {
    if (input === document.activeElement) continue;
    if (input.type === "checkbox") input.checked = Boolean(here.faults[input.name]);
    else input.value = here.faults[input.name] ?? 0;
  }
}

async function changeFaults(input) {
  const value = input.type === "checkbox" ? Number(input.checked) : Number(input.value || 0);
  try {
    await ask("people/faults", { network: state.network, faults: { [input.name]: value } });
    toast("Noted.");
  } catch (problem) {
    toast(problem.message, "trouble");
  }
}

const later = debounce((input) => changeFaults(input), 300);
byId("faults").addEventListener("input", (event) => later(event.target));
byId("faults").addEventListener("submit", (event) => event.preventDefault());
byId("newcomer").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = byId("newcomer-name").value.trim();
  if (!name) return;
  state.person[state.network] = name;
  byId("newcomer-name").value = "";
  buildSay();
  render();
  byId("words").focus();
});
byId("say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const words = byId("words");
  if (words.value.trim() && (await say(words.value, extras()))) words.value = "";
});
byId("words").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    byId("say").requestSubmit();
  }
});
byId("networks").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const names = state.networks.map((one) => one.network);
  pick(names.at((names.indexOf(state.network) + step) % names.length));
  byId(`tab-${state.network}`).focus();
});

setInterval(tick, 20_000);
(async function pulse() {
  if (!document.hidden) await refresh();
  setTimeout(pulse, PULSE);
})();
