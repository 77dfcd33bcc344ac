// In which order the queue stands and why, what is kept out of it, and of what kind a conversation is.

import { hub } from "./api.js";
import { byId, h } from "./dom.js";

const KINDS = {
  complaint: "Complaint",
  request: "Request",
  question: "Question",
  opinion: "Opinion",
  praise: "Praise",
  promotion: "After a promotion",
  spam: "Spam",
};
const MARKS = new Set(["complaint", "praise", "promotion", "spam"]); // kinds that a row names
const SHOWN = 3; // reasons in a row

export class Sorting {
  /** `changed()` asks the hub again. */
  constructor(session, changed) {
    this.place = `socialsupport:order:${session.tenant}:${session.agent}`;
    this.order = localStorage.getItem(this.place) ?? "next";
    this.noise = false;
    const order = byId("order");
    order.value = this.order;
    order.addEventListener("change", () => {
      this.order = order.value;
      localStorage.setItem(this.place, this.order);
      this.name();
      changed();
    });
    byId("noise").addEventListener("change", (event) => {
      this.noise = event.target.checked;
      changed();
    });
    this.name();
  }

  name() {
    const how = this.order === "next" ? "what to answer next first" : "longest waiting first";
    byId("queue-list").setAttribute("aria-label", `Conversations, ${how}`);
  }

  /** What to ask the hub for beside the filters. */
  filter(status) {
    const open = status === "open";
    return { order: open ? this.order : "", noise: this.noise ? "true" : "" };
  }
}

/** Why a conversation stands where it stands, in a row. */
export function reasons(one) {
  const parts = (one.next?.parts ?? []).filter((part) => part.points > 0).slice(0, SHOWN);
  const kind = one.triage?.kind;
  const named = MARKS.has(kind) && !parts.some((part) => part.name === "complaint");
  if (!parts.length && !named) return null;
  return h(
    "span",
    { class: "row-reasons" },
    named && h("span", { class: "kind", data: { kind } }, KINDS[kind]),
    parts.map((part) => h("span", { class: "reason", data: { part: part.name } }, part.reason)),
  );
}

/** What it was sorted as, with its reasons, and a choice to put that right. `attempt` as of the desk. */
export function showKind(found, { may, attempt }) {
  const line = byId("kind-line");
  const triage = found.triage;
  const print = JSON.stringify([found.id, triage, may]);
  line.hidden = !triage;
  if (!triage || line.dataset.print === print) return;
  line.dataset.print = print;
  const set = (kind, done) => attempt(() => hub.triage(found.id, kind), done);
  const choice = h(
    "select",
    { id: "kind", disabled: !may, on: { change: (event) => set(event.target.value, "Noted. Thank you.") } },
    Object.entries(KINDS).map(([kind, name]) => h("option", { value: kind, selected: kind === triage.kind }, name)),
  );
  const back = h(
    "button",
    { type: "button", on: { click: () => set("request", "It is in the queue again.") } },
    "Back to the queue",
  );
  line.replaceChildren(
    h("label", { class: "unseen", for: "kind" }, "Kind of contact"),
    choice,
    triage.urgency === "high" ? h("span", { class: "reason", data: { part: "urgency" } }, "urgent") : "",
    h("span", { class: "kind-why" }, triage.reasons.join(" · ")),
    triage.noise ? h("span", { class: "kind-out" }, "Kept out of the queue.") : "",
    triage.noise && may ? back : "",
  );
}
