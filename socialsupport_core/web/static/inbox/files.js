// What is sent along: uploaded at once, so that sending waits for nothing and a lost page loses no file.

import { hub } from "./api.js";
import { announce, h, icon, toast } from "./dom.js";
import { bytes } from "./words.js";

const LARGEST = 25 * 1024 * 1024; // bytes, as the hub has it

export class Files {
  /** `changed` is called whenever there are others. */
  constructor(changed) {
    this.changed = changed;
    this.all = [];
    this.picker = h("input", { type: "file", id: "files", class: "unseen", multiple: true, tabindex: -1 });
    this.button = h(
      "button",
      { type: "button", id: "attach", on: { click: () => this.picker.click() } },
      icon("attach"),
      "Attach",
    );
    this.list = h("ul", { class: "files outgoing", "aria-label": "Files to be sent", hidden: true });
    this.picker.addEventListener("change", () => {
      this.take(this.picker.files);
      this.picker.value = "";
    });
  }

  /** Also what is pasted into `box` or dropped on `form`. */
  listen(form, box) {
    box.addEventListener("paste", (event) => this.taken(event, event.clipboardData));
    form.addEventListener("dragover", (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
    form.addEventListener("drop", (event) => this.taken(event, event.dataTransfer));
  }

  taken(event, from) {
    if (!from?.files.length || this.button.hidden) return;
    event.preventDefault();
    this.take(from.files);
  }

  take(files) {
    for (const file of files) this.upload(file);
  }

  async upload(file) {
    if (file.size > LARGEST)
      return toast(`${file.name} has ${bytes(file.size)}; at most ${bytes(LARGEST)} are taken.`, "trouble");
    if (!file.size) return toast(`${file.name} is empty.`, "trouble");
    const one = { name: file.name, size: file.size };
    this.all.push(one);
    this.show();
    try {
      one.sent = await hub.upload(file);
      announce(`${file.name} goes along.`);
    } catch (problem) {
      this.all = this.all.filter((other) => other !== one);
      toast(`${file.name}: ${problem.message}`, "trouble");
    }
    return this.show();
  }

  /** What the hub needs of them. */
  get ready() {
    return this.all.filter((one) => one.sent).map((one) => one.sent);
  }

  get underWay() {
    return this.all.some((one) => !one.sent);
  }

  set(sent = []) {
    this.all = sent.map((one) => ({ name: one.name, size: one.size, sent: one }));
    this.show();
  }

  remove(one) {
    this.all = this.all.filter((other) => other !== one);
    this.show();
    this.button.focus();
  }

  show() {
    this.list.replaceChildren(...this.all.map((one) => this.item(one)));
    this.list.hidden = !this.all.length;
    this.changed();
  }

  item(one) {
    const without = h(
      "button",
      { type: "button", class: "icon", "aria-label": `Without ${one.name}`, on: { click: () => this.remove(one) } },
      icon("close"),
    );
    return h(
      "li",
      { class: "file", data: { state: one.sent ? "stored" : "pending" } },
      icon("file"),
      h("span", { class: "file-name" }, one.name),
      h("span", { class: "soft" }, one.sent ? bytes(one.size) : "being uploaded"),
      without,
    );
  }
}
