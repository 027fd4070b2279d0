// The messages of the open conversation: their shape, and where they come from.
//
// A message of the visitor is `unsent`, `rejected` or `sent`. An answer is `waiting`, `active`,
// `retrying`, `completed`, `failed` or `cancelled`; the protocol's `delayed` and `queued` read as waiting.

import { codePoints } from "./text-assembly.js";

const OVER = new Set(["completed", "failed", "cancelled"]);

export const isOver = ({ status }) => OVER.has(status);
/** A recording without a transcript; it may never get one. */
export const isUnheard = (message) => message?.attachment?.kind === "audio" && !message.text;
export const isRunning = (message) => (message.role === "assistant" || isUnheard(message)) && !isOver(message);
export const topicOf = ({ type }) => type.split(":")[0];
export const verbOf = ({ type }) => type.split(":")[1];

export const EMPTY_ANSWER = {
  text: "",
  length: 0,
  run: 0,
  html: null,
  live: null,
  error: null,
  stopping: false,
  retry: null,
  startedAt: 0,
  thought: null, // {seconds, toldAt?}: how long the model has been thinking, or thought
  cached: false,
};

/** Return how an answer was made: model, usage, cost, and whether it ends at its length limit. */
export const originOf = ({ model = "", usage = null, cost = null, truncated = false }) => ({
  model,
  usage,
  cost,
  truncated,
});

/** Return how long the model thought before an answer; null if it did not. */
export const thoughtOf = ({ thoughtSeconds }) => (thoughtSeconds ? { seconds: thoughtSeconds } : null);

/** Return the seconds of a thought until `now`: those of a model that thinks are counted on. */
export const secondsOf = ({ seconds, toldAt }, now) => (toldAt ? seconds + (now - toldAt) / 1000 : seconds);

export function createAnswer(fields) {
  return { ...EMPTY_ANSWER, role: "assistant", status: "waiting", position: null, wait: null, ...fields };
}

/** Return the message of an outbox entry: it is shown at once, before the server answers. */
export function fromOutbox({ requestId, text, createdAt, refusal = null }) {
  const status = refusal ? "rejected" : "unsent";
  return { key: `${requestId}:user`, role: "user", requestId, text, status, refusal, createdAt };
}

function fromRow(row) {
  const common = {
    key: row.requestId ? `${row.requestId}:${row.role}` : row.id,
    id: row.id,
    role: row.role,
    jobId: row.jobId,
    requestId: row.requestId,
    text: row.content ?? "",
    attachment: row.attachment ?? null,
    versions: row.versions ?? null, // the ids of all versions, if there is more than one
    createdAt: row.createdAt,
  };
  if (row.role !== "assistant" && !isUnheard(common)) return { ...common, status: "sent" };
  if (isOver(row)) return finishedAnswer(row, common);
  // The text so far comes from job:watch, from its beginning.
  return createAnswer({ ...common, text: "", status: row.status === "active" ? "active" : "waiting" });
}

function finishedAnswer(row, common) {
  return createAnswer({
    ...common,
    status: row.status,
    html: row.html ?? null,
    length: codePoints(common.text),
    error: row.error ?? null,
    canRetry: row.canRetry,
    advice: row.advice,
    offer: row.offer,
    cached: Boolean(row.cached),
    thought: thoughtOf(row),
    ...originOf(row),
    feedback: row.feedback ?? null,
  });
}

/** Return what is known before the server's newest page; without a message in common there may be a gap. */
export const knownBefore = ([first], known) =>
  first && known.some(({ id }) => id >= first.id) ? known.filter(({ id }) => id < first.id) : [];

/** Merge the server's rows with what only this page knows: text in flight, open editors, unsent messages. */
export function merge(rows, known, outbox) {
  const byKey = new Map(known.map((message) => [message.key, message]));
  const messages = fromRows(rows, byKey);
  const arrived = new Set(messages.map((message) => message.requestId));
  return [...messages, ...outbox.map(fromOutbox).filter((message) => !arrived.has(message.requestId))];
}

/** Return the messages of the server's rows; byKey: what is known of them already. */
export function fromRows(rows, byKey = new Map()) {
  return rows.map(fromRow).map((fresh) => {
    const old = byKey.get(fresh.key);
    if (!old) return fresh;
    if (fresh.role === "user" && !isRunning(fresh)) return { ...fresh, edit: old.edit };
    return !isOver(fresh) && old.jobId === fresh.jobId
      ? { ...fresh, ...old, id: fresh.id, versions: fresh.versions }
      : fresh;
  });
}

/** Match the answer an event is about, or the recording whose transcript it brings. */
export const isAnswerTo = (event) => (message) =>
  message.role === (event.type?.startsWith("audio:") ? "user" : "assistant") &&
  (message.jobId === event.jobId || Boolean(event.requestId && message.requestId === event.requestId));

export const findAnswer = (messages, event) => messages.find(isAnswerTo(event));

/** Return the answers that have not started: their questions can be edited or deleted. */
export const waitingAnswers = (messages) =>
  messages.filter(({ role, status }) => role === "assistant" && (status === "waiting" || status === "retrying"));

/** Return whether `question` is one of those whose answer has not started; `waiting`: see above. */
export const isWaiting = (question, waiting) => Boolean(question.jobId) && waiting.some(isAnswerTo(question));

/** Return a copy with the matching messages changed; the same array if nothing did. */
export function replace(messages, matches, change) {
  let changed = false;
  const next = messages.map((message) => {
    const fields = matches(message) ? change(message) : null;
    if (!fields) return message;
    changed = true;
    return { ...message, ...fields };
  });
  return changed ? next : messages;
}
