// The beginning: who is signed in, and then the desk.

import { hub, useSession } from "./api.js";
import { Desk } from "./desk.js";
import { byId, toast } from "./dom.js";
import { initials } from "./words.js";

// Only that there is something to ask for: the cookie itself is not for scripts.
const SIGNED_IN = "socialsupport:signed-in";
let desk = null;

const given = () => new URLSearchParams(location.hash.slice(1)).get("token");

async function begin() {
  const token = given();
  if (token) history.replaceState(null, "", location.pathname + location.search);
  if (!token && !localStorage.getItem(SIGNED_IN)) return askToken("");
  try {
    return await enter(token ? await hub.signIn(token) : await hub.session());
  } catch (problem) {
    return askToken(problem.status === 401 ? (token ? "This token is not known here." : "") : problem.message);
  }
}

async function enter(session) {
  useSession(session.csrf, () => leave());
  localStorage.setItem(SIGNED_IN, "yes");
  const [me, { agents }] = await Promise.all([hub.me(), hub.agents()]);
  byId("sign-in").hidden = true;
  byId("desk").hidden = false;
  document.documentElement.dataset.view = "desk";
  const button = byId("sign-out");
  button.textContent = initials(session.name);
  button.setAttribute("aria-label", `${session.name}: sign out`);
  button.title = `Signed in as ${session.name}. Sign out`;
  button.onclick = () => hub.signOut().finally(signedOut);
  desk = new Desk(session, me, agents, { out: () => leave() });
  await desk.start();
}

function signedOut() {
  localStorage.removeItem(SIGNED_IN);
  location.replace(location.pathname);
}

/** The session has ended; what was written is kept in the browser and is there again after signing in. */
function leave() {
  if (!desk) return;
  desk.stream.stop();
  desk.pulse.stop();
  desk = null;
  localStorage.removeItem(SIGNED_IN);
  askToken("You have been signed out.", true);
}

function askToken(complaint, again = false) {
  document.documentElement.dataset.view = "sign-in";
  byId("desk").hidden = true;
  byId("sign-in").hidden = false;
  const line = byId("sign-in-complaint");
  line.textContent = complaint;
  line.hidden = !complaint;
  byId("token").focus();
  byId("sign-in-form").onsubmit = async (event) => {
    event.preventDefault();
    try {
      const session = await hub.signIn(byId("token").value.trim());
      if (again) return location.reload();
      return await enter(session);
    } catch (problem) {
      return askToken(
        problem.status === 401 ? "This token is not known here. Ask your operator for a new one." : problem.message,
        again,
      );
    }
  };
}

window.addEventListener("unhandledrejection", (event) => {
  if (event.reason?.status !== undefined) {
    event.preventDefault();
    toast(event.reason.message, "trouble");
  }
});

// A link with a token, opened over an open page.
window.addEventListener("hashchange", () => given() && location.reload());

begin();
