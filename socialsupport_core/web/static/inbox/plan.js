// What would go out: in how many messages, what is lost, what forbids it, and where in the text.

import { h, icon } from "./dom.js";
import { network, plural, unit } from "./words.js";

const HARMLESS = new Set(["empty"]); // nobody needs to be told that an empty box says nothing

/** What stands in the way, in one form: the hub's policies and the network's own limits. */
export function hindrances(plan) {
  return [...(plan?.refusals ?? []), ...(plan?.obstacles ?? [])].filter((one) => !HARMLESS.has(one.rule));
}

/** Whether it has to be known before anything is written. */
export const urgent = (plan) =>
  hindrances(plan).length > 0 || (plan?.warnings ?? []).some((one) => one.rule === "unproven_author");

/** What a second person is asked for, and what the agent is told. */
const hints = (plan) => [...(plan?.approvals ?? []), ...(plan?.warnings ?? [])];

/** The lines under the text. */
export function showPlan(plan, text) {
  if (!plan) return [];
  const against = hindrances(plan);
  return [
    ...against.map((one) => hindrance(one, text)),
    ...hints(plan).map((one) => hindrance(one, text, "hint")),
    ...(plan.losses ?? []).map((one) => h("p", { class: "plan-line loss" }, icon("warn"), h("span", {}, one.why))),
    !against.length && plan.parts?.length ? parts(plan) : null,
  ];
}

function hindrance(one, text, kind = "") {
  const places = (one.spans ?? []).map((span) => piece(text, span)).filter(Boolean);
  return h(
    "div",
    { class: `hindrance ${kind}`.trim(), data: { rule: one.rule } },
    icon(kind ? "warn" : "stop"),
    h(
      "p",
      {},
      h("strong", {}, sentence(one.reason)),
      places.length ? [" ", places.map((found) => [h("q", { class: "marked" }, found), " "])] : " ",
      h("span", { class: "remedy" }, sentence(one.remedy)),
    ),
  );
}

function parts(plan) {
  const many = plan.parts.length;
  if (many === 1) return h("p", { class: "plan-line" }, sized(plan.parts[0]));
  return h(
    "details",
    { class: "plan-parts" },
    h("summary", {}, `Goes out as ${plural(many, "message")} on ${network(plan.network)}`),
    h(
      "ol",
      {},
      plan.parts.map((part) =>
        h("li", {}, h("span", { class: "part-text" }, part.text ?? plural(part.attachments, "file")), sized(part)),
      ),
    ),
  );
}

function sized(part) {
  if (!part.limit) return h("span", { class: "size" }, `${part.size} ${unit(part.unit)}`);
  const full = part.size / part.limit;
  return h(
    "span",
    { class: "size", data: { full: full > 0.9 || null } },
    h("meter", {
      min: 0,
      max: part.limit,
      value: part.size,
      high: Math.floor(part.limit * 0.9),
      "aria-hidden": "true",
    }),
    `${part.size} of ${part.limit} ${unit(part.unit)}`,
  );
}

const sentence = (words) => {
  const text = words.trim();
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
};

/** The text with its refused places marked. The hub counts code points. */
export function marked(text, plan) {
  const spans = [...hindrances(plan), ...hints(plan)]
    .flatMap((one) => one.spans ?? [])
    .sort((a, b) => a[0] - b[0]);
  const characters = [...text];
  const pieces = [];
  let done = 0;
  for (const [start, end] of spans) {
    if (start < done) continue;
    pieces.push(characters.slice(done, start).join(""), h("mark", {}, characters.slice(start, end).join("")));
    done = end;
  }
  return [...pieces, characters.slice(done).join("")];
}

const piece = (text, [start, end]) => [...text].slice(start, end).join("");
