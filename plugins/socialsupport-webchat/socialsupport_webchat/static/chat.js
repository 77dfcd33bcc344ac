// Wires the page together.

import { Log } from "./log.js";
import { Outbox } from "./outbox.js";
import { Session, Store, uuid } from "./session.js";
import { Stream } from "./stream.js";

const { channel, greeting, origins, ask } = document.documentElement.dataset;
const at = (id) => document.getElementById(id);
const embedded = window.parent !== window;
const STATUS = {
  connecting: "Connecting…",
  live: "Connected",
  offline: "You are offline. Your messages wait and are sent when you are back.",
};
const HANDOFF = /^[a-z2-7]{26}$/;
const TYPING_EVERY = 4000;
const TYPING_SHOWN = 6000;
const READ_AFTER = 800;
const HELLO_WITHIN = 3000;

const store = new Store(`webchat:${channel}:`);
const handoff = takeHandoff();
const { identity, signature, port } = embedded ? await greeted() : {};

const session = new Session(store, userOf(identity, signature));
const outbox = new Outbox(store, session);
const stream = new Stream(session);
const log = new Log(at("log"), at("scroll"));
let isOpen = true;
let unread = [];
let unseen = 0;

begin();
stream.addEventListener("entry", ({ detail }) => take(detail));
stream.addEventListener("state", ({ detail }) => show(detail));
outbox.addEventListener("state", ({ detail }) => log.state(detail.id, detail.state, detail.reason));
log.addEventListener("choice", ({ detail }) => {
  say({ text: detail.title, choice: detail.value, reply_to: detail.reply_to });
  at("text").focus();
});
session.addEventListener("visitor", ({ detail }) => detail.old && restart());
at("compose").addEventListener("submit", compose);
at("text").addEventListener("keydown", keyed);
at("text").addEventListener("input", typed);
document.addEventListener("visibilitychange", () => see());
at("text").disabled = at("send").disabled = false; // from here on Enter is heard
embed();
introduce();
stream.start();
if (identity) identify({ identity, signature });
outbox.hurry();

function begin() {
  log.greet(greeting);
  outbox.waiting.forEach((message) => log.pending(message));
}

// The server has made us a new visitor: our token was too old. What waits is still sent.
function restart() {
  stream.stop();
  stream.cursor = 0;
  log.clear();
  begin();
  stream.start();
}

function take(entry) {
  if (entry.kind === "typing") return showTyping(entry.name);
  log.entry(entry);
  if (entry.kind !== "message") return;
  if (entry.mine) return outbox.forget(entry.id);
  showTyping(null);
  if (stream.cursor <= (store.get(`read:${session.visitor}`) ?? 0)) return;
  unread.push(entry.id);
  unseen += 1;
  see();
}

// Messages

function say(more) {
  const message = { id: uuid(), at: session.now(), ...more };
  const token = handoff.take();
  if (token) message.handoff = token;
  log.pending(message);
  outbox.add(message);
}

function compose(event) {
  event.preventDefault();
  const text = at("text").value.trim();
  if (!text) return;
  say({ text });
  at("text").value = "";
  fit();
  at("text").focus();
}

function keyed(event) {
  // Enter that ends the composing of a character is not for us.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  at("compose").requestSubmit();
}

let lastTyping = 0;
function typed() {
  fit();
  if (!at("text").value || Date.now() - lastTyping < TYPING_EVERY || !navigator.onLine) return;
  lastTyping = Date.now();
  session.post("typing", { id: uuid() }).catch(() => {});
}

function fit() {
  const area = at("text");
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight + 2, 160)}px`;
}

// What the visitor sees

function show(state) {
  document.documentElement.dataset.state = state;
  at("status").textContent = STATUS[state];
  if (state === "live") at("log").ariaBusy = "false";
  if (state === "live") outbox.hurry();
}

let typingTimer = 0;
function showTyping(name) {
  clearTimeout(typingTimer);
  at("typing").hidden = name === null;
  at("typist").textContent = name ? `${name} is typing` : "Typing";
  if (name === null) return;
  at("scroll").scrollTop = at("scroll").scrollHeight;
  typingTimer = setTimeout(() => showTyping(null), TYPING_SHOWN);
}

let readTimer = 0;
function see() {
  const seen = isOpen && document.visibilityState === "visible";
  if (seen) unseen = 0;
  port?.postMessage({ unseen });
  if (!seen || !unread.length) return;
  clearTimeout(readTimer);
  readTimer = setTimeout(tellRead, READ_AFTER);
}

async function tellRead() {
  const messages = unread.slice(0, 50);
  const cursor = stream.cursor;
  const response = await session.post("read", { messages }).catch(() => null);
  if (!response?.ok) return;
  unread = unread.slice(messages.length);
  store.set(`read:${session.visitor}`, cursor);
  if (unread.length) readTimer = setTimeout(tellRead, READ_AFTER);
}

// Who the visitor is

// A token in the address would stay in the history and go along with every copied link.
function takeHandoff() {
  const url = new URL(location.href);
  const token = url.searchParams.get("handoff");
  if (token !== null) {
    url.searchParams.delete("handoff");
    history.replaceState(history.state, "", url);
    if (HANDOFF.test(token)) store.set("handoff", token);
  }
  return {
    peek: () => store.get("handoff"),
    take() {
      const kept = store.get("handoff");
      store.set("handoff", null);
      return kept;
    },
  };
}

async function identify(content) {
  const token = handoff.peek();
  const response = await session
    .post("identify", token ? { ...content, handoff: token } : content)
    .catch(() => null);
  if (response?.ok && token) handoff.take();
  return response;
}

function introduce() {
  const form = at("introduce");
  form.hidden = !ask || Boolean(identity) || Boolean(store.get("introduced"));
  at("skip").addEventListener("click", () => done());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const typed = Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim()));
    const response = await identify({ identity: JSON.stringify(typed) });
    at("refused").hidden = response?.ok ?? false;
    at("refused").textContent = response ? "This address does not look right." : "There is no connection. Try again.";
    if (response?.ok) done();
  });
  function done() {
    store.set("introduced", true);
    form.hidden = true;
    at("text").focus();
  }
}

function userOf(identity, signature) {
  if (!identity || !signature) return "";
  try {
    return String(JSON.parse(identity).user ?? "");
  } catch {
    return "";
  }
}

// Inside another page

// The page around us says hello through its widget, and hands over a port for everything else.
function greeted() {
  const allowed = [location.origin, ...origins.split(" ")];
  return new Promise((resolve) => {
    setTimeout(() => resolve({}), HELLO_WITHIN); // a frame without the widget
    addEventListener("message", function hello(event) {
      if (event.source !== window.parent || !allowed.includes(event.origin) || !event.data?.webchat) return;
      removeEventListener("message", hello);
      resolve({ ...event.data.webchat, port: event.ports[0] });
    });
  });
}

function embed() {
  if (!port) return;
  document.documentElement.classList.add("embedded");
  at("close").hidden = false;
  at("close").addEventListener("click", () => port.postMessage({ close: true }));
  addEventListener("keydown", (event) => event.key === "Escape" && port.postMessage({ close: true }));
  port.onmessage = ({ data }) => {
    isOpen = data.open;
    if (isOpen) at("text").focus();
    see();
  };
}
