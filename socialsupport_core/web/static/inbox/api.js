// Talking to the hub. Every change carries the CSRF token; what goes wrong comes as a Problem.

const PATIENCE = 20_000; // milliseconds
const PATIENCE_WITH_FILES = 300_000;

export class Problem extends Error {
  /** `status` 0: the hub could not be reached, so nobody knows whether it has heard us. */
  constructor(status, body = {}) {
    super(body.detail || body.title || "The hub cannot be reached.");
    this.status = status;
    this.refusals = body.refusals ?? [];
    this.obstacles = body.obstacles ?? [];
  }
}

let csrf = "";
let onSignedOut = () => {};

export function useSession(token, signedOut) {
  csrf = token;
  onSignedOut = signedOut;
}

export const address = (path) => new URL(path, document.baseURI);

/** `body`: what becomes JSON, or a file that goes as it is. */
export async function call(method, path, body, headers = {}) {
  const isFile = body instanceof Blob;
  const request = {
    method,
    headers: { ...headers },
    credentials: "same-origin",
    signal: AbortSignal.timeout(isFile ? PATIENCE_WITH_FILES : PATIENCE),
  };
  if (method !== "GET") {
    request.headers["x-csrf-token"] = csrf;
    request.headers["content-type"] = isFile ? body.type || "application/octet-stream" : "application/json";
    request.body = isFile ? body : JSON.stringify(body ?? {});
  }
  const response = await fetch(address(path), request).catch(() => {
    throw new Problem(0);
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401 && path !== "session") onSignedOut();
  throw new Problem(response.status, answer);
}

const id = encodeURIComponent;
const query = (given) => {
  const set = Object.entries(given).filter(([, value]) => value);
  return set.length ? `?${new URLSearchParams(set)}` : "";
};
const about = (conversation, what) => `api/conversations/${id(conversation)}/${what}`;

export const hub = {
  session: () => call("GET", "session"),
  signIn: (token) => call("POST", "session", { token }),
  signOut: () => call("DELETE", "session"),
  me: () => call("GET", "api/me"),
  agents: () => call("GET", "api/agents"),
  queue: (filter) => call("GET", `api/conversations${query(filter)}`),
  customers: (q) => call("GET", `api/customers${query({ q })}`),
  conversation: (one) => call("GET", `api/conversations/${id(one)}`),
  customer: (one) => call("GET", `api/customers/${id(one)}`),
  explain: (one) => call("GET", `api/customers/${id(one)}/explain`),
  older: (one, before) => call("GET", `api/customers/${id(one)}/timeline${query({ before })}`),
  link: (one, other, note) => call("POST", `api/customers/${id(one)}/link`, note ? { other, note } : { other }),
  split: (one, accounts) => call("POST", `api/customers/${id(one)}/split`, { accounts }),
  undo: (one, verdict) => call("POST", `api/customers/${id(one)}/undo`, { verdict }),
  merge: (one, into) => call("POST", about(one, "merge"), { into }),
  part: (one, what) => call("POST", about(one, "split"), what),
  undoMove: (one, move) => call("POST", about(one, "undo"), { move }),
  context: (one, what) => call("POST", about(one, "context"), what),
  reviews: () => call("GET", "api/reviews"),
  decide: (one, decision) => call("POST", `api/reviews/${id(one)}`, { decision }),
  plan: (one, saying) => call("POST", about(one, "plan"), saying),
  reply: (one, saying, key) => call("POST", about(one, "reply"), saying, { "idempotency-key": key }),
  answers: (one, leg) => call("GET", about(one, `answers${query({ leg })}`)),
  approvals: () => call("GET", "api/approvals"),
  approve: (one, how) => call("POST", `api/approvals/${id(one)}/approve`, how),
  refuse: (one, word) => call("POST", `api/approvals/${id(one)}/refuse`, { word }),
  withdraw: (one) => call("POST", `api/approvals/${id(one)}/withdraw`),
  upload: (file) => call("POST", `api/attachments${query({ name: file.name })}`, file),
  note: (one, text, key) => call("POST", about(one, "note"), { text }, { "idempotency-key": key }),
  handOff: (one, leg) => call("POST", about(one, "hand-off"), { leg }),
  targets: (one, leg) => call("GET", about(one, `hand-off${query({ leg })}`)),
  codes: (one) => call("GET", about(one, "challenge")),
  askCode: (one, told, expected) => call("POST", about(one, "challenge"), { told, expected, send: true }),
  hearCode: (one, code) => call("POST", `api/challenges/${id(one)}/hear`, { code }),
  withdraw: (handOff) => call("DELETE", `api/hand-off/${id(handOff)}`),
  handTo: (one, leg, to) => call("POST", about(one, "hand-off"), { leg, to }),
  sendDraft: (one, saying) => call("POST", `api/drafts/${id(one)}/send`, saying),
  discardDraft: (one) => call("POST", `api/drafts/${id(one)}/discard`),
  presence: (one, answering) => call("POST", about(one, "presence"), { answering }),
  assign: (one, assignee) => call("POST", about(one, "assign"), { assignee }),
  triage: (one, kind) => call("POST", about(one, "triage"), { kind }),
  resolve: (one) => call("POST", about(one, "resolve")),
  reopen: (one) => call("POST", about(one, "reopen")),
  edit: (one, text, key) => call("PATCH", `api/interactions/${id(one)}`, { text }, { "idempotency-key": key }),
  remove: (one, key) => call("DELETE", `api/interactions/${id(one)}`, undefined, { "idempotency-key": key }),
  settle: (part, state) => call("POST", `api/outbox/${id(part)}/settle`, { state }),
};

export const attachment = (one) => address(`api/attachments/${id(one)}`).href;
