// On duty or not, and why a conversation is nobody's.

import { call } from "./api.js";
import { byId, h, icon, toast } from "./dom.js";

export class Duty {
  constructor(desk) {
    this.desk = desk;
    this.away = false;
    this.button = h("button", { type: "button", class: "plain", id: "duty", "aria-pressed": "false", hidden: true });
    this.button.addEventListener("click", () => this.turn());
    byId("sign-out").before(this.button);
    this.line = h("p", { class: "answering", id: "routing", role: "status", hidden: true });
    byId("answering").after(this.line);
    this.load();
  }

  /** Signing off means something only to whom routing gives something. */
  async load() {
    if (!this.desk.may("reply")) return;
    const { team } = await call("GET", "api/team").catch(() => ({ team: [] }));
    const me = team.find((one) => one.agent === this.desk.session.agent);
    if (me) this.render(Boolean(me.away));
  }

  render(away) {
    this.away = away;
    this.button.hidden = false;
    this.button.setAttribute("aria-pressed", String(away));
    this.button.title = away ? "You get nothing new. Sign on again" : "You get new conversations. Sign off";
    this.button.replaceChildren(icon(away ? "stop" : "check"), h("span", {}, away ? "Away" : "On duty"));
  }

  async turn() {
    const away = !this.away;
    try {
      await call("POST", "api/duty", { away });
      this.render(away);
      toast(away ? "You get nothing new until you sign on again." : "You get new conversations again.");
    } catch (problem) {
      toast(problem.message, "trouble");
    }
  }

  /** Why nobody has it yet. */
  show(found) {
    const why = !found.assignee && found.status === "open" ? found.routing?.reason : null;
    this.line.hidden = !why;
    if (why) this.line.replaceChildren(`Not assigned: ${why}.`);
  }
}
