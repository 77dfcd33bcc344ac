// Puts the form into the page, where this script stands. One element is all the page needs:
//   <script src="https://…/chat/DOOR/embed.js" data-label="Contact us" async></script>

(() => {
  const script = document.currentScript;
  const base = new URL(".", script.src);
  const frame = document.createElement("iframe");
  const given = new URL(base);
  for (const name of ["name", "order", "subject"]) {
    if (script.dataset[name]) given.searchParams.set(name, script.dataset[name]);
  }
  frame.src = given;
  frame.title = script.dataset.label ?? "Contact form";
  frame.style.cssText = "width: 100%; height: 720px; border: 0; color-scheme: light dark;";
  window.addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.origin !== base.origin) return;
    const height = event.data?.webform;
    if (Number.isInteger(height) && height > 0 && height < 20000) frame.style.height = `${height}px`;
  });
  const place = () => (document.body.contains(script) ? script.after(frame) : document.body.append(frame));
  if (document.body) place();
  else document.addEventListener("DOMContentLoaded", place);  // the script stands in the head
})();
