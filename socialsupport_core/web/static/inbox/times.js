// Times as people say them, kept up to date; the full time is always the title.

import { h } from "./dom.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dateAndYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

const midnight = (moment) => new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime();

/** How long: "12 min", "3 h", "2 days". */
export function lasting(milliseconds) {
  if (milliseconds < MINUTE) return "under 1 min";
  if (milliseconds < HOUR) return `${Math.floor(milliseconds / MINUTE)} min`;
  if (milliseconds < 2 * DAY) return `${Math.floor(milliseconds / HOUR)} h`;
  return `${Math.floor(milliseconds / DAY)} days`;
}

function ago(moment) {
  const age = Date.now() - moment;
  if (age < MINUTE) return "just now";
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min ago`;
  if (midnight(new Date()) === midnight(moment)) return `${Math.floor(age / HOUR)} h ago`;
  return `${day(moment)}, ${clock.format(moment)}`;
}

/** "Today", "Yesterday", "Tuesday", "12 Nov". */
export function day(moment) {
  const days = Math.round((midnight(new Date()) - midnight(moment)) / DAY);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days < 7) return weekday.format(moment);
  return (moment.getFullYear() === new Date().getFullYear() ? date : dateAndYear).format(moment);
}

const FORMS = {
  ago,
  moment: (moment) => (midnight(new Date()) === midnight(moment) ? ago(moment) : clock.format(moment)),
  since: (moment) => lasting(Date.now() - moment),
  clock: (moment) => clock.format(moment),
  day,
};

/** A `<time>` that stays true. `form`: one of FORMS. */
export function time(at, form = "ago", props = {}) {
  const moment = new Date(at);
  return h("time", { datetime: at, title: full.format(moment), data: { form }, ...props }, FORMS[form](moment));
}

/** How urgent somebody's waiting is: under an hour, under four, more. */
export function urgency(since) {
  const age = Date.now() - new Date(since);
  return age < HOUR ? "fresh" : age < 4 * HOUR ? "late" : "overdue";
}

export function seconds(count) {
  const whole = Math.round(count);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
}

/** Brings everything on the page up to date. */
export function tick() {
  for (const one of document.querySelectorAll("time[data-form]")) {
    const words = FORMS[one.dataset.form](new Date(one.dateTime));
    if (one.textContent !== words) one.textContent = words;
    if (one.dataset.urgency) one.dataset.urgency = urgency(one.dateTime);
  }
}
