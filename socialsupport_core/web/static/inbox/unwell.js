// The bar that names each channel that is not well, and what to do.

import { byId, h } from "./dom.js";

const UNWELL = {
  failing: "does not work.",
  broken: "cannot be started.",
  silent: "has fallen silent.",
  gap: "has lost something.",
};

/** `title` gives a channel's name. */
export function showUnwell(channels, title) {
  const unwell = channels.filter((one) => UNWELL[one.state]);
  const said = unwell.map((one) => [title(one), UNWELL[one.state], one.reason ?? ""]);
  const bar = byId("unwell");
  bar.hidden = !unwell.length;
  if (bar.dataset.print === JSON.stringify(said)) return; // said again, a screen reader would read it again
  bar.dataset.print = JSON.stringify(said);
  bar.replaceChildren(...said.map(([name, how, why]) => h("p", {}, h("b", {}, `${name} ${how}`), ` ${why}`)));
}
