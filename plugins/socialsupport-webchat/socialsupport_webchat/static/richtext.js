// Text into nodes. What the server rendered is cleaned there; here it is built again from a short list of elements,
// so that no mistake on one side is enough for a script to run.

const ELEMENTS = new Set(
  "A B BLOCKQUOTE BR CODE DEL EM H1 H2 H3 H4 H5 H6 HR I LI OL P PRE S STRONG U UL".split(" "),
);
const SCHEMES = new Set(["http:", "https:", "mailto:", "tel:"]);
const ADDRESS = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g;

const policy = window.trustedTypes?.createPolicy("webchat", { createHTML: (html) => html });

export function rendered(html) {
  // A parsed document of its own is inert: it loads nothing and runs nothing.
  const parsed = new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");
  const fragment = document.createDocumentFragment();
  fragment.append(...copies(parsed.body));
  return fragment;
}

function copies(node) {
  return [...node.childNodes].flatMap((child) => {
    if (child.nodeType === Node.TEXT_NODE) return [child.data];
    if (child.nodeType !== Node.ELEMENT_NODE) return [];
    if (!ELEMENTS.has(child.tagName)) return ["SCRIPT", "STYLE"].includes(child.tagName) ? [] : copies(child);
    const copy = child.tagName === "A" ? link(child.getAttribute("href")) : document.createElement(child.tagName);
    if (child.tagName === "OL" && child.start !== 1) copy.start = child.start;
    copy.append(...copies(child));
    return [copy];
  });
}

function link(address) {
  const url = parsed(address);
  if (!url || !SCHEMES.has(url.protocol)) return document.createElement("span");
  const anchor = document.createElement("a");
  anchor.href = url.href;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer nofollow";
  return anchor;
}

function parsed(address) {
  try {
    return new URL(address);
  } catch {
    return null;
  }
}

// What the visitor typed, exactly as typed; only web addresses become links.
export function plain(text) {
  const fragment = document.createDocumentFragment();
  let last = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const anchor = link(match[0]);
    anchor.textContent = match[0];
    fragment.append(text.slice(last, match.index), anchor);
    last = match.index + match[0].length;
  }
  fragment.append(text.slice(last));
  return fragment;
}
