// A button on the host page that opens the chat in a frame. One script element is all the page needs:
//   <script src="https://…/chat/CHANNEL/widget.js" data-identity='{"user":…}' data-signature="…" async></script>

(() => {
  const script = document.currentScript;
  const base = new URL(".", script.src);
  const { identity, signature, label = "Chat with us" } = script.dataset;

  const host = document.createElement("div");
  const shadow = host.attachShadow({ mode: "open" });
  const style = new CSSStyleSheet();
  style.replaceSync(`
    :host { all: initial; }
    button {
      position: fixed; right: 20px; bottom: 20px; z-index: 2147483000; width: 60px; height: 60px;
      border: 0; border-radius: 50%; background: var(--accent, #3f51b5); color: var(--on-accent, #fff);
      box-shadow: 0 6px 24px rgb(0 0 0 / .28); cursor: pointer; display: grid; place-items: center;
    }
    button:hover { filter: brightness(1.08); }
    button:focus-visible { outline: 3px solid var(--accent, #3f51b5); outline-offset: 3px; }
    svg { width: 28px; height: 28px; fill: none; stroke: currentColor; stroke-width: 2;
      stroke-linecap: round; stroke-linejoin: round; }
    span { position: absolute; top: 2px; right: 2px; min-width: 20px; height: 20px; border-radius: 10px;
      background: #d3302f; color: #fff; font: 600 12px/20px system-ui, sans-serif; text-align: center; }
    span[hidden] { display: none; }
    iframe {
      position: fixed; right: 20px; bottom: 92px; z-index: 2147483000; width: 400px;
      height: min(660px, calc(100dvh - 112px)); border: 0; border-radius: 18px;
      box-shadow: 0 16px 56px rgb(0 0 0 / .3); background: Canvas; color-scheme: normal;
    }
    iframe[hidden] { display: none; }
    @media (max-width: 480px) {
      iframe { inset: 0; width: 100%; height: 100%; border-radius: 0; }
      .open button { display: none; }
    }
  `);
  const colours = document.createElement("link");
  colours.rel = "stylesheet";
  colours.href = new URL("theme.css", base);
  shadow.adoptedStyleSheets = [style];

  const root = document.createElement("div");
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-label", label);
  button.setAttribute("aria-expanded", "false");
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M4 5h16v11H9l-5 4z");
  icon.append(path);
  const count = document.createElement("span");
  count.hidden = true;
  button.append(icon, count);
  root.append(button);
  shadow.append(root);

  let frame = null;
  let port = null;

  // Made when it is wanted first: a page that nobody chats on stays as fast as it was.
  function make() {
    frame = document.createElement("iframe");
    frame.title = label;
    frame.src = base;
    frame.addEventListener("load", greet);
    root.prepend(frame);
  }

  function greet() {
    const channel = new MessageChannel();
    port = channel.port1;
    port.onmessage = ({ data }) => {
      if (data.close) show(false);
      if (data.unseen === undefined) return;
      count.hidden = data.unseen === 0;
      count.textContent = data.unseen > 9 ? "9+" : data.unseen;
    };
    // Only the chat's own origin can receive the identity.
    frame.contentWindow.postMessage({ webchat: { identity, signature } }, base.origin, [channel.port2]);
    port.postMessage({ open: !frame.hidden });
  }

  function show(open) {
    if (!frame) make();
    frame.hidden = !open;
    root.classList.toggle("open", open);
    button.setAttribute("aria-expanded", String(open));
    port?.postMessage({ open });
    if (open) frame.focus();
    else button.focus();
  }

  button.addEventListener("click", () => show(!frame || frame.hidden));
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && frame && !frame.hidden) show(false);
  });

  function mount() {
    document.body.append(host);
    shadow.prepend(colours);
  }
  if (document.body) mount();
  else addEventListener("DOMContentLoaded", mount);
})();
