// Linking and splitting: an agent's verdicts on who is who, made in a dialog that says what will come of them.

import { hub } from "./api.js";
import { debounce, h, icon } from "./dom.js";
import { time } from "./times.js";
import { badge, called, kind, kindGlyph, plural, visibility } from "./words.js";

const IDENTIFIER = /^[a-z][a-z0-9_.-]*(@[^:]+)?:.+/;

/** Opens a dialog; resolves when it is closed. `build(done)` gives its content. */
export function ask(title, build) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" });
    const close = (value) => {
      dialog.close();
      dialog.remove();
      resolve(value);
    };
    dialog.append(
      h(
        "header",
        {},
        h("h2", { id: "dialog-title" }, title),
        h(
          "button",
          { type: "button", class: "icon", "aria-label": "Close", on: { click: () => close(null) } },
          icon("close"),
        ),
      ),
      ...build(close),
    );
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      close(null);
    });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("[autofocus]")?.focus();
  });
}

/** Who else is this? Resolves to the verdict, or null. */
export function askLink(customer, other = "") {
  return ask(`Who else is ${called(customer.name)}?`, (close) => {
    const found = h("ul", { class: "choices", role: "radiogroup", "aria-label": "Customers found" });
    const complaint = h("p", { class: "complaint", role: "alert", hidden: true });
    const search = h("input", {
      id: "link-search",
      type: "text",
      autofocus: true,
      autocomplete: "off",
      spellcheck: "false",
      value: other,
    });
    const note = h("input", {
      id: "link-note",
      type: "text",
      maxlength: 500,
      placeholder: "gave the order number on the phone",
    });
    const submit = h("button", { type: "submit", class: "primary", disabled: true }, "Link");
    const look = async () => {
      const text = search.value.trim();
      const answer = text ? await hub.customers(text).catch(() => ({ customers: [] })) : { customers: [] };
      if (text !== search.value.trim()) return;
      const others = answer.customers.filter((one) => one.id !== customer.id).map(candidate);
      const typed =
        IDENTIFIER.test(text) && !answer.customers.some((one) => one.accounts.some((each) => each.identifier === text));
      found.replaceChildren(...others, ...(typed ? [identifierChoice(text)] : []));
      if (text && !found.childElementCount)
        found.append(
          h(
            "li",
            { class: "soft" },
            "Nobody found. An identifier can be written out: phone:+15551234, email:kerry@mail.example.",
          ),
        );
      const first = found.querySelector("input");
      if (first && found.querySelectorAll("input").length === 1) first.checked = true;
      submit.disabled = !found.querySelector(":checked");
    };
    found.addEventListener("change", () => (submit.disabled = false));
    search.addEventListener("input", debounce(look, 200));
    if (other) look();
    const form = h(
      "form",
      {
        on: {
          submit: async (event) => {
            event.preventDefault();
            const chosen = found.querySelector(":checked")?.value;
            if (chosen) await attempt(() => hub.link(customer.id, chosen, note.value.trim()), complaint, close);
          },
        },
      },
      h("label", { for: "link-search" }, "Name, address, handle or identifier"),
      search,
      found,
      h("label", { for: "link-note" }, "Why ", h("span", { class: "soft" }, "(optional)")),
      note,
      h("p", { class: "soft" }, "Their conversations become one timeline. It can be undone at any time."),
      complaint,
      h("footer", {}, submit),
    );
    return [form];
  });
}

function candidate(one) {
  const accounts = one.accounts.map((each) => each.value).join(", ");
  return h(
    "li",
    {},
    h(
      "label",
      {},
      h("input", { type: "radio", name: "other", value: one.id }),
      h("span", {}, h("strong", {}, called(one.name)), h("span", { class: "soft" }, ` ${accounts}`)),
    ),
  );
}

const identifierChoice = (text) =>
  h(
    "li",
    {},
    h(
      "label",
      {},
      h("input", { type: "radio", name: "other", value: text }),
      h("span", {}, h("strong", {}, text), h("span", { class: "soft" }, " not heard of so far")),
    ),
  );

/** Which of these accounts are somebody else? Resolves to the verdict, or null. */
export function askSplit(customer) {
  return ask(`Which are not ${called(customer.name)}?`, (close) => {
    const complaint = h("p", { class: "complaint", role: "alert", hidden: true });
    const submit = h("button", { type: "submit", class: "primary", disabled: true }, "Split");
    const boxes = customer.accounts.map((one, at) =>
      h(
        "li",
        {},
        h(
          "label",
          {},
          h("input", { type: "checkbox", value: one.identifier, autofocus: at === 0 }),
          h(
            "span",
            {},
            icon(kindGlyph(one.kind)),
            h("strong", {}, one.value),
            h("span", { class: "soft" }, ` ${kind(one.kind)}`),
          ),
        ),
      ),
    );
    const list = h("ul", { class: "choices" }, boxes);
    const says = h("p", { class: "soft", role: "status" }, "Tick the accounts that leave.");
    const ticked = () => [...list.querySelectorAll(":checked")].map((one) => one.value);
    list.addEventListener("change", () => {
      const count = ticked().length;
      const all = count === customer.accounts.length;
      submit.disabled = count === 0 || all;
      says.textContent = all
        ? "Somebody must stay: leave one unticked."
        : count
          ? `${plural(count, "account leaves", "accounts leave")}, ${customer.accounts.length - count} stay. They will not be joined again unless this is undone.`
          : "Tick the accounts that leave.";
    });
    const form = h(
      "form",
      {
        on: {
          submit: async (event) => {
            event.preventDefault();
            await attempt(() => hub.split(customer.id, ticked()), complaint, close);
          },
        },
      },
      list,
      says,
      complaint,
      h("footer", {}, submit),
    );
    return [form];
  });
}

/** What becomes a conversation of its own? Resolves to what was done, or null. */
export function askPart(conversation) {
  return ask("What becomes a conversation of its own?", (close) => {
    const complaint = h("p", { class: "complaint", role: "alert", hidden: true });
    const submit = h("button", { type: "submit", class: "primary", disabled: true }, "Divide");
    const legs = conversation.legs.length > 1 ? conversation.legs : [];
    const boxes = legs.map((one, at) =>
      h(
        "li",
        {},
        h(
          "label",
          {},
          h("input", { type: "checkbox", value: one.id, autofocus: at === 0 }),
          h(
            "span",
            { class: "part-choice" },
            badge(one.network),
            " ",
            visibility(one.visibility),
            h("span", { class: "soft" }, " since "),
            time(one.opened_at, "ago"),
          ),
        ),
      ),
    );
    const list = h("ul", { class: "choices" }, boxes);
    const words = conversation.entries.filter((one) => one.interaction.direction !== "internal").slice(1).slice(-30);
    const since = h(
      "select",
      { id: "part-since" },
      h("option", { value: "" }, "no, whole threads"),
      words.map((one) => h("option", { value: one.id }, `${one.by}: ${said(one).slice(0, 60)}`)),
    );
    const ticked = () => [...list.querySelectorAll(":checked")].map((one) => Number(one.value));
    const look = () => {
      const count = ticked().length;
      submit.disabled = since.value ? count > 0 : count === 0 || count === legs.length;
    };
    list.addEventListener("change", look);
    since.addEventListener("change", look);
    const form = h(
      "form",
      {
        on: {
          submit: async (event) => {
            event.preventDefault();
            const what = since.value ? { since: Number(since.value) } : { legs: ticked() };
            await attempt(() => hub.part(conversation.id, what), complaint, close);
          },
        },
      },
      boxes.length > 0 && h("p", {}, "Tick the threads that leave."),
      boxes.length > 0 && list,
      h("label", { for: "part-since" }, boxes.length > 0 ? "Or only from a message on" : "From which message on?"),
      since,
      h("p", { class: "soft" }, "Nothing is lost, and it can be undone at any time."),
      complaint,
      h("footer", {}, submit),
    );
    return [form];
  });
}

const said = (entry) => entry.interaction.text ?? entry.interaction.kind;

/** What should it say? Resolves to the corrected value, or null. */
export function askCorrection(told) {
  return ask(`Correct: ${told.label}`, (close) => {
    const value = h("input", {
      id: "correct-value",
      type: "text",
      maxlength: 200,
      autofocus: true,
      required: true,
      value: told.value,
    });
    const form = h(
      "form",
      {
        on: {
          submit: (event) => {
            event.preventDefault();
            close(value.value.trim() || null);
          },
        },
      },
      h("label", { for: "correct-value" }, "What it should say"),
      value,
      h("p", { class: "soft" }, "What the customer wrote stays as it is; it can be restored."),
      h("footer", {}, h("button", { type: "submit", class: "primary" }, "Correct")),
    );
    return [form];
  });
}

export async function attempt(work, complaint, close) {
  complaint.hidden = true;
  try {
    close(await work());
  } catch (problem) {
    complaint.textContent = problem.message;
    complaint.hidden = false;
  }
}
