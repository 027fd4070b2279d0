// The messages of the open conversation, as pure functions from (messages, event) to messages.
//
// A message of the visitor is `unsent`, `rejected` or `sent`. An answer is `waiting`, `active`,
// `retrying`, `completed`, `failed` or `cancelled`; the protocol's `delayed` and `queued` read as waiting.

import { codePoints, join } from "./stream.js";

const SETTLED_AFTER = 3000; // ms
const OVER = new Set(["completed", "failed", "cancelled"]);

export const isOver = (message) => OVER.has(message.status);
/** A recording that has no words yet, and perhaps never gets any. */
export const isUnheard = (message) => message?.attachment?.kind === "audio" && !message.text;
export const isRunning = (message) => (message.role === "assistant" || isUnheard(message)) && !isOver(message);
/** Whether a recording failed so that trying again is of no use. */
export const isLost = (code) => ["no_speech", "unreadable", "too_long", "expired"].includes(code);
export const topicOf = (event) => event.type.split(":")[0];
export const verbOf = (event) => event.type.split(":")[1];

const EMPTY_ANSWER = { text: "", length: 0, run: 0, html: null, live: null, error: null, stopping: false, retry: null, startedAt: 0, cached: false };

/** How an answer came about: which model, what it took, whether it ends at its length limit. */
const toldOf = ({ model = "", usage = null, cost = null, truncated = false }) => ({ model, usage, cost, truncated });

function answer(fields) {
  return { ...EMPTY_ANSWER, role: "assistant", status: "waiting", position: null, wait: null, ...fields };
}

/** A message from the outbox: shown at once, before the server has said anything. */
export function fromOutbox(entry) {
  return {
    key: `${entry.requestId}:user`,
    role: "user",
    requestId: entry.requestId,
    text: entry.text,
    status: entry.held ? "rejected" : "unsent",
    held: entry.held ?? null,
    createdAt: entry.createdAt,
  };
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
    createdAt: row.createdAt,
  };
  if (row.role !== "assistant" && !isUnheard(common)) return { ...common, status: "sent" };
  if (!OVER.has(row.status)) {
    // What is being said comes from job:watch, from its first letter.
    return answer({ ...common, text: "", status: row.status === "active" ? "active" : "waiting" });
  }
  return answer({
    ...common,
    status: row.status,
    html: row.html ?? null,
    length: codePoints(common.text),
    error: row.error ?? null,
    canRetry: !(isUnheard(common) && isLost(row.code)),
    cached: Boolean(row.cached),
    ...toldOf(row),
    feedback: row.feedback ?? null,
  });
}

/** The server's rows, with what this page knows better (text in flight, an open editor) and what is unsent. */
export function merge(rows, known, outbox) {
  const byKey = new Map(known.map((message) => [message.key, message]));
  const messages = rows.map(fromRow).map((fresh) => {
    const old = byKey.get(fresh.key);
    if (!old) return fresh;
    if (fresh.role === "user" && !isRunning(fresh)) return { ...fresh, edit: old.edit };
    return !isOver(fresh) && old.jobId === fresh.jobId ? { ...fresh, ...old, id: fresh.id } : fresh;
  });
  const arrived = new Set(messages.map((message) => message.requestId));
  const onTheirWay = [...known.filter((m) => m.askedAnew && m.status === "unsent"), ...outbox.map(fromOutbox)];
  return [...messages, ...onTheirWay.filter((message) => !arrived.has(message.requestId))];
}

/** What an event is about: an answer, or a recording whose words it brings. */
const isAnswerTo = (event) => (message) =>
  message.role === (event.type?.startsWith("audio:") ? "user" : "assistant") &&
  (message.jobId === event.jobId || Boolean(event.requestId && message.requestId === event.requestId));

export const findAnswer = (messages, event) => messages.find(isAnswerTo(event));

/** Whether this question's answer has not begun, so that it can still be changed or taken back. */
export function waits(messages, question) {
  const status = question.jobId && findAnswer(messages, question)?.status;
  return status === "waiting" || status === "retrying";
}

/** What is missing before this delta can be joined: {run, offset}, or null. */
export function gapBefore(messages, event) {
  const message = verbOf(event) === "delta" ? findAnswer(messages, event) : null;
  return message ? (join(message, event).gap ?? null) : null;
}

/** After the end, only a greater run is news: somebody had it tried again. */
const isOld = (message, event) => event.run < message.run || (isOver(message) && event.run === message.run);

const begun = (event) => ({ status: "active", position: 0, retry: null, startedAt: event.receivedAt });

/** Whether a place in line told now means that the answer waits again: its delay is over, or its worker
 * gave it back. Just after the start it is only a place told late. */
function wentBack(message, now) {
  if (message.status === "retrying") return message.retry.at <= now;
  return message.status === "active" && now - message.startedAt > SETTLED_AFTER;
}

/** What was said of the wait, and when: some waits are counted down. */
const waitOf = ({ estimatedWait, receivedAt }) => estimatedWait && { ...estimatedWait, toldAt: receivedAt };

const changes = {
  queued(message, event) {
    const ids = { jobId: event.jobId, id: (message.role === "assistant" && event.replyId) || message.id };
    // A repeated `queued` (we sent twice to be safe) must not set back what already runs or is done.
    if (message.status === "active" || message.status === "completed") return ids;
    const place = { position: event.position, wait: waitOf(event) };
    // The run stays: what is late of the runs before must not pass for news.
    return { ...(isOver(message) ? { ...EMPTY_ANSWER, run: message.run } : {}), ...ids, ...place, status: "waiting" };
  },
  position(message, event) {
    if (isOver(message)) return null;
    const back = event.position > 0 && wentBack(message, event.receivedAt);
    return { position: event.position, wait: waitOf(event), ...(back ? { status: "waiting", retry: null } : {}) };
  },
  started(message, event) {
    if (isOld(message, event)) return null;
    const fresh = event.run > message.run ? { ...EMPTY_ANSWER, run: event.run } : {};
    return { ...fresh, attempt: event.attempt, of: event.of, ...begun(event) };
  },
  delta(message, event) {
    if (isOld(message, event)) return null;
    const fresh = isOver(message) ? EMPTY_ANSWER : {};
    return { ...fresh, ...join(message, event).have, ...begun(event) };
  },
  /** Its Markdown so far; what is of another run is asked for again. */
  rendered: (message, event) => (isOver(message) || event.run !== message.run ? null : { live: event }),
  progress: (message, event) => ({ progress: { done: event.done, total: event.total, label: event.label } }),
  retrying(message, event) {
    if (isOver(message)) return null;
    const at = event.receivedAt + event.in * 1000;
    return { status: "retrying", retry: { at, next: event.attempt + 1, of: event.of, reason: event.reason } };
  },
  completed: (message, event) => ({
    status: "completed",
    text: event.response ?? message.text,
    html: event.html ?? null,
    cached: Boolean(event.cached),
    ...toldOf(event),
    retry: null,
  }),
  failed: (message, event) => ({
    status: "failed",
    error: event.error,
    code: event.code,
    canRetry: event.canRetry,
    retry: null,
  }),
  cancelled(message, event) {
    const text = event.text ?? message.text; // what is kept may be less than what has been seen here
    return { status: "cancelled", text, length: codePoints(text), html: event.html ?? null, retry: null };
  },
};

/** What becomes of a recording at its end: a question like any other, or one that was not understood. */
const heard = {
  completed: (_, { response, replyJobId }) => ({ status: "sent", text: response, jobId: replyJobId, retry: null }),
  failed: (message, event) => ({ ...changes.failed(message, event), canRetry: !isLost(event.code) }),
};

/** The messages after a server event. Events of answers that are not here change nothing. */
export function applyEvent(messages, event) {
  if (verbOf(event) === "rejected") return refuse(messages, event);
  const accepted = verbOf(event) === "queued" ? accept(messages, event) : messages;
  const change = (topicOf(event) === "audio" && heard[verbOf(event)]) || changes[verbOf(event)];
  if (!change) return accepted;
  return replace(accepted, isAnswerTo(event), (message) => change(message, event));
}

/** `queued` for one of our own: the message is sent, and its answer takes its place below it. */
function accept(messages, event) {
  const index = messages.findIndex((m) => m.role === "user" && m.requestId && m.requestId === event.requestId);
  if (index < 0) return messages;
  const sent = { ...messages[index], status: "sent", jobId: event.jobId, id: event.messageId ?? messages[index].id, held: null };
  const rest = messages.slice(index + 1);
  if (!findAnswer(messages, event)) {
    const { requestId, jobId, receivedAt } = event;
    rest.unshift(answer({ key: `${requestId}:assistant`, requestId, jobId, createdAt: receivedAt }));
  }
  return [...messages.slice(0, index), sent, ...rest];
}

function refuse(messages, event) {
  const isMine = (m) => m.role === "user" && m.status === "unsent" && m.requestId === event.requestId;
  return replace(messages, isMine, () => ({ status: "rejected", held: event.held }));
}

/** A copy with the matching messages changed; the same array when nothing did. */
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
