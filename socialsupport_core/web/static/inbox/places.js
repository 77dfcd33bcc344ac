// Where an answer goes: one place for each thread, and first the one that the hub would answer.

/** A hand-off outweighs what was said in public this long after it, such as the code that completes it. */
const COMPLETED = 60_000; // milliseconds

export const UNCLEAR = {
  rule: "leg",
  reason: "the customer spoke last in public, and nothing proves that the private threads here are theirs",
  remedy: "choose where it goes",
};

/**
 * The newest leg of each thread; first comes where we can speak and the talk goes on. `said`, from `answered`, is
 * where the agent has just written.
 */
export function placesOf(conversation, said = null) {
  const found = new Map();
  for (const leg of conversation.legs) found.set(threadOf(leg), leg);
  const lively = liveliness(conversation, said);
  const answered = conversation.legs.find((leg) => leg.id === conversation.reply_leg);
  const stays = (leg) => (lively.get(threadOf(leg)) === Infinity ? 2 : answered && threadOf(leg) === threadOf(answered) ? 1 : 0);
  const rank = (leg) => [leg.speaks ? 1 : 0, stays(leg), lively.get(threadOf(leg)), Date.parse(leg.opened_at)];
  return [...found.values()].sort((a, b) => compare(rank(b), rank(a)));
}

/** The place to begin with; none where the hub cannot tell who would read it, for then the agent has to say. */
export function firstOf(places, conversation, said) {
  const isClear = conversation.reply_leg !== undefined || (said && said.heard >= lastHeard(conversation));
  return isClear || !places[0]?.speaks ? (places[0]?.id ?? null) : null;
}

/** What to remember of an answer until the hub shows it. What is said in public keeps nobody there. */
export function answered(conversation, leg) {
  return leg?.visibility === "private" ? { thread: threadOf(leg), heard: lastHeard(conversation) } : null;
}

/** When each thread was last spoken in: by the customer, or in private by us, or led to by a hand-off. */
function liveliness(conversation, said) {
  const threads = new Map(conversation.legs.map((leg) => [leg.id, threadOf(leg)]));
  const moments = new Map();
  const at = (thread, moment) => moments.set(thread, Math.max(moments.get(thread) ?? 0, moment));
  for (const leg of conversation.legs) at(threadOf(leg), Date.parse(leg.last_inbound ?? 0));
  for (const { leg, at: moment, interaction } of conversation.entries)
    if (isOurs(interaction) && threads.has(leg)) at(threads.get(leg), Date.parse(moment));
  for (const turn of (conversation.turns ?? []).filter(leads))
    for (const leg of conversation.legs)
      if (leg.channel === turn.to && leg.visibility === "private") at(threadOf(leg), Date.parse(turn.at) + COMPLETED);
  if (said && said.heard >= lastHeard(conversation)) at(said.thread, Infinity);
  return moments;
}

/** Written by an agent in private, and no words of a hand-off, whose keys have a tilde. */
const isOurs = ({ direction, thread, client_key: key }) =>
  direction === "outbound" && thread?.visibility === "private" && !key?.includes("~");

/** A link leads nowhere before it is proven. */
const leads = (turn) =>
  turn.type === "conversation.handed_off" && (turn.step === "confirmed" || (turn.step === "planned" && turn.how !== "link"));

const lastHeard = (conversation) => Math.max(0, ...conversation.legs.map((leg) => Date.parse(leg.last_inbound ?? 0)));
const threadOf = (leg) => `${leg.channel} ${leg.thread} ${leg.account}`;

function compare(left, right) {
  const differs = left.findIndex((one, index) => one !== right[index]);
  return differs < 0 ? 0 : left[differs] - right[differs] > 0 ? 1 : -1;
}
