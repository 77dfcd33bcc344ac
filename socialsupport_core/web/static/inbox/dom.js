// Building the page: everything a stranger wrote goes in as text, nothing as markup or style.

import { ICONS } from "./icons.js";

const SVG = "http://www.w3.org/2000/svg";

/** An element. `props`: attributes; `on`: listeners; `data`: data attributes; false and null leave one out. */
export function h(tag, props, ...children) {
  const { on = {}, data = {}, ...attributes } = props ?? {};
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "style" || name.startsWith("on")) throw new TypeError(`no ${name} attribute here`);
    made.setAttribute(name, value === true ? "" : value);
  }
  for (const [name, value] of Object.entries(data)) {
    if (value !== null && value !== undefined) made.dataset[name] = value;
  }
  for (const [name, listener] of Object.entries(on)) made.addEventListener(name, listener);
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** One of our icons; silent for screen readers, because words always stand beside it or in its place. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon-glyph");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name] ?? ICONS.other);
  svg.append(path);
  return svg;
}

export const byId = (id) => document.getElementById(id);

const rendered = new WeakMap();

/** Shows `items` in `parent`, touching only what changed. An item has a `key`, a `print` (equal print, equal look)
 * and `render()`. Focus survives when the element that had it is made anew. */
export function reconcile(parent, items) {
  const before = rendered.get(parent) ?? new Map();
  const after = new Map();
  let cursor = parent.firstElementChild;
  for (const item of items) {
    const known = before.get(item.key);
    const same = known && known.print === item.print;
    const node = same ? known.node : item.render();
    if (known && !same) {
      if (cursor === known.node) cursor = node;
      replace(known.node, node);
    }
    if (node === cursor) cursor = cursor.nextElementSibling;
    else parent.insertBefore(node, cursor);
    after.set(item.key, { node, print: item.print });
  }
  for (const [key, { node }] of before) if (!after.has(key)) node.remove();
  rendered.set(parent, after);
}

function replace(old, fresh) {
  const held = old.contains(document.activeElement) ? focusable(old).indexOf(document.activeElement) : null;
  old.replaceWith(fresh);
  if (held !== null) (focusable(fresh)[held] ?? focusable(fresh)[0])?.focus();
}

function focusable(node) {
  const inside = "a[href], button:not(:disabled), input, select, textarea, [tabindex]";
  return [...(node.matches(inside) ? [node] : []), ...node.querySelectorAll(inside)];
}

const KEPT = new Set(
  ["P", "BR", "A", "EM", "STRONG", "S", "CODE", "PRE", "BLOCKQUOTE", "UL", "OL", "LI", "HR", "SPAN"].concat([
    "H1",
    "H2",
    "H3",
    "H4",
    "H5",
    "H6",
  ]),
);
const SAFE = /^(https?|mailto|tel):/i;

/** The server's own rendering of a text. It is clean already; here only what we know gets through once more. */
export function fromHtml(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  return h("div", { class: "text" }, ...[...parsed.body.childNodes].map(copy));
}

function copy(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (node.nodeType !== Node.ELEMENT_NODE) return null;
  const inside = [...node.childNodes].map(copy);
  if (!KEPT.has(node.tagName)) return inside;
  if (node.tagName !== "A") return h(node.tagName, node.start > 1 ? { start: node.start } : {}, ...inside);
  const address = node.getAttribute("href") ?? "";
  if (!SAFE.test(address)) return inside;
  return h("a", { href: address, rel: "noopener noreferrer nofollow", target: "_blank" }, ...inside);
}

/** Tells people who cannot see the page. */
export function announce(words) {
  const line = h("p", {}, words);
  byId("announcer").append(line);
  setTimeout(() => line.remove(), 5000);
}

/** A short notice that goes away by itself. */
export function toast(words, kind = "note") {
  const line = h("div", { class: "toast", data: { kind }, role: kind === "trouble" ? "alert" : "status" }, words);
  byId("toasts").append(line);
  setTimeout(() => line.remove(), kind === "trouble" ? 10000 : 4000);
}

export function debounce(work, milliseconds) {
  let timer = 0;
  const later = (...given) => {
    clearTimeout(timer);
    timer = setTimeout(work, milliseconds, ...given);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}
