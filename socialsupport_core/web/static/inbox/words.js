// What the hub's words are called on this page. Whatever is not in a table is shown as it comes.

import { h, icon } from "./dom.js";

const NETWORKS = {
  x: "X",
  telegram: "Telegram",
  email: "E-mail",
  phone: "Phone",
  webchat: "Web chat",
  store: "Shop",
  manual: "Noted by hand",
  internal: "Internal note",
};
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export const network = (name) => NETWORKS[name] ?? capital(name);
export const glyph = (name) => (name in NETWORKS ? name : "other");

export const badge = (name) =>
  h(
    "span",
    { class: "badge", title: network(name) },
    icon(glyph(name)),
    h("span", { class: "badge-name" }, network(name)),
  );

export const visibility = (kind) =>
  h("span", { class: "visibility", data: { visibility: kind } }, icon(kind), kind === "public" ? "Public" : "Private");

const KINDS = {
  "x.user": "X account",
  "telegram.user": "Telegram account",
  "webchat.visitor": "Browser in the web chat",
  "webchat.user": "Signed in on the site",
  email: "E-mail address",
  phone: "Phone number",
  user: "Customer account",
};
export const kind = (name) => KINDS[name] ?? (name.startsWith("crm.") ? `Record in ${name.slice(4)}` : name);
export const kindGlyph = (name) => (name.startsWith("crm.") ? "person" : glyph(name.split(".")[0]));

/** `kind@scope:value` as `{kind, value}`. */
export function identifier(written) {
  const colon = written.indexOf(":");
  return { kind: written.slice(0, colon).split("@")[0], value: written.slice(colon + 1), written };
}

export const STATES = {
  queued: ["clock", "Waiting to be sent"],
  sending: ["clock", "Sending"],
  retrying: ["clock", "Trying again"],
  sent: ["check", "Sent"],
  delivered: ["checks", "Delivered"],
  read: ["checks", "Read"],
  failed: ["stop", "Not sent"],
  uncertain: ["question", "May have been sent, please check"],
};

const JOINED = {
  new: () => "A new conversation",
  handoff_token: (reason) => `Joined: ${reason}`,
  open_private: (reason) => `Joined: ${reason}`,
  handed_off: (reason) => `Handed off: ${reason}`,
};
/** How a leg came into the conversation. */
export const joined = (rule, reason) => (JOINED[rule] ?? ((why) => `Joined: ${why}`))(reason ?? rule);

const TIERS = {
  human: ["person", "An agent decided"],
  verified: ["check", "Proven"],
  asserted: ["question", "The network says so"],
  claimed: ["question", "Claimed only"],
  cannot: ["split", "Kept apart by an agent"],
};
export const tier = (name) => TIERS[name] ?? ["question", name];

const PROOFS = {
  agent: "an agent's verdict",
  handoff_token: "came with a hand-off link",
  signed_identity: "the site signed who is logged in",
  signed: "the site signed who is logged in",
  dmarc: "the mail's domain is authenticated",
  typed: "typed it in",
  profile: "from the network's profile",
  crm_record: "the CRM has both on one record",
  one_time_code: "a one-time code, told here and said there",
  sms_code: "a code sent to the number",
  oidc: "signed in at the customer portal",
  migration: "the network moved the account",
  same_payload: "the network named both",
  network: "the network named both",
  provider_migration: "the network moved the account",
};
export const proof = (name) => PROOFS[name] ?? name.replaceAll("_", " ");

const TOUCHES = {
  call: "Call",
  voicemail: "Voicemail",
  review: "Review",
  form: "Form",
  visit: "Visit",
  mention: "Mention",
};
export const touch = (name) => TOUCHES[name] ?? null;

const FILES = {
  pending: "being fetched",
  sending: "",
  stored: "",
  expired: "no longer available",
  refused: "not taken in",
};
export const fileState = (state) => FILES[state] ?? state;

export function bytes(size) {
  if (size < 1000) return `${size} B`;
  if (size < 1_000_000) return `${Math.round(size / 1000)} kB`;
  return `${(size / 1_000_000).toFixed(1)} MB`;
}

const UNITS = {
  characters: "characters",
  graphemes: "characters",
  utf16: "characters",
  utf8_bytes: "bytes",
  x_weighted: "characters",
  sms_segments: "SMS",
};
export const unit = (name) => UNITS[name] ?? name.replaceAll("_", " ");

const UNSPEAKABLE = /^[0-9a-f-]{20,}$/i;
/** Who has no name is known by an id that nobody can say: its beginning is enough to tell two apart. */
export const called = (name) => (UNSPEAKABLE.test(name) ? `Visitor ${name.slice(0, 6)}` : name);

/** An account as people say it: by its handle, else by its value, of which a long one is cut. */
export const sayable = (value, handle) =>
  handle ? `@${handle}` : UNSPEAKABLE.test(value) ? `${value.slice(0, 8)}…` : value;

/** The same with its network, where the value does not tell it. */
export function told(written, handle) {
  const { kind: name, value } = identifier(written);
  if (name === "email" || name === "phone") return value;
  const said = handle ? `@${handle}` : called(value);
  return `${said} on ${network(name.split(".")[0])}`;
}

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

export const initials = (name) =>
  name
    .split(/\s+/)
    .filter(Boolean)
    .slice(0, 2)
    .map((word) => [...word][0].toUpperCase())
    .join("");
