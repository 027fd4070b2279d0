// What the server's events do to the messages, as pure functions from (messages, event) to messages.

import {
  createAnswer,
  EMPTY_ANSWER,
  findAnswer,
  isAnswerTo,
  isOver,
  originOf,
  replace,
  secondsOf,
  thoughtOf,
  topicOf,
  verbOf,
} from "./messages.js";
import { codePoints, join } from "./text-assembly.js";

const SETTLED_AFTER = 3000; // ms

/** Return the messages after a server event. Events of answers that are not here change nothing. */
export function applyEvent(messages, event) {
  const verb = verbOf(event);
  if (verb === "rejected") return reject(messages, event);
  const accepted = verb === "queued" ? accept(messages, event) : messages;
  const change = (topicOf(event) === "audio" && recordingChanges[verb]) || changes[verb];
  return change ? replace(accepted, isAnswerTo(event), (message) => change(message, event)) : accepted;
}

/** Return what is missing before this delta can be joined: {run, offset}, or null. */
export function gapBefore(messages, event) {
  const message = verbOf(event) === "delta" ? findAnswer(messages, event) : null;
  return message ? (join(message, event).gap ?? null) : null;
}

/** `queued` for a message of ours: it is sent, and its answer is added below it. */
function accept(messages, event) {
  const { requestId, jobId, messageId, receivedAt } = event;
  const index = messages.findIndex((m) => m.role === "user" && m.requestId && m.requestId === requestId);
  if (index < 0) return messages;
  const sent = { ...messages[index], status: "sent", jobId, id: messageId ?? messages[index].id, refusal: null };
  const rest = messages.slice(index + 1);
  if (!findAnswer(messages, event)) {
    rest.unshift(createAnswer({ key: `${requestId}:assistant`, requestId, jobId, createdAt: receivedAt }));
  }
  return [...messages.slice(0, index), sent, ...rest];
}

function reject(messages, { requestId, refusal }) {
  const matches = (m) => m.role === "user" && m.status === "unsent" && m.requestId === requestId;
  return replace(messages, matches, () => ({ status: "rejected", refusal }));
}

/** After the end, only a later run is news: the job was retried. */
const isOld = (message, event) => event.run < message.run || (isOver(message) && event.run === message.run);

const begun = (event) => ({ status: "active", position: 0, retry: null, startedAt: event.receivedAt });

/**
 * Return whether a position means that the answer waits again: its delay is over, or its worker gave it
 * back. Just after the start it is only a late position.
 */
function wentBack(message, now) {
  if (message.status === "retrying") return message.retry.at <= now;
  return message.status === "active" && now - message.startedAt > SETTLED_AFTER;
}

/** Return the wait and when it was received: some waits are counted down. */
const waitOf = ({ estimatedWait, receivedAt }) => estimatedWait && { ...estimatedWait, receivedAt };

/** What stays of an answer that ended without completing: what is stored may be less than what was shown here. */
function saidBefore(message, event) {
  const text = event.text ?? message.text;
  return { text, length: codePoints(text), html: event.html ?? null, retry: null, thought: endThought(message, event) };
}

/** The thinking ends with the first word, or with the answer. */
const endThought = ({ thought, run }, event) =>
  thought && !(event.run > run) ? { seconds: secondsOf(thought, event.receivedAt) } : null;

/** verb -> (message, event) -> the fields that change, or null. */
const changes = {
  queued(message, event) {
    const ids = { jobId: event.jobId, id: (message.role === "assistant" && event.replyId) || message.id };
    // A repeated `queued` (we sent twice to be safe) must not set back what runs or is done.
    if (message.status === "active" || message.status === "completed") return ids;
    // The run stays, so that late events of earlier runs are recognised.
    const fresh = isOver(message) ? { ...EMPTY_ANSWER, run: message.run } : {};
    return { ...fresh, ...ids, position: event.position, wait: waitOf(event), status: "waiting" };
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
  /** The model thinks before its answer; this comes every second. */
  thinking(message, event) {
    if (isOld(message, event)) return null;
    const fresh = event.run > message.run ? { ...EMPTY_ANSWER, run: event.run } : {};
    return { ...fresh, thought: { seconds: event.seconds, toldAt: event.receivedAt }, ...begun(event) };
  },
  delta(message, event) {
    if (isOld(message, event)) return null;
    const fresh = isOver(message) || event.run > message.run ? EMPTY_ANSWER : {};
    return { ...fresh, ...join(message, event).have, ...begun(event), thought: endThought(message, event) };
  },
  /** The Markdown so far; that of another run is requested again. */
  rendered: (message, event) => (isOver(message) || event.run !== message.run ? null : { live: event }),
  progress: (_, { done, total, label }) => ({ progress: { done, total, label } }),
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
    thought: thoughtOf(event),
    ...originOf(event),
    retry: null,
  }),
  failed: (message, event) => ({
    ...saidBefore(message, event),
    status: "failed",
    error: event.error,
    canRetry: event.canRetry,
    advice: event.advice,
    offer: event.offer,
  }),
  cancelled: (message, event) => ({ ...saidBefore(message, event), status: "cancelled" }),
};

/** The end of a recording: it becomes a question like any other. */
const recordingChanges = {
  completed: (_, { response, replyJobId }) => ({ status: "sent", text: response, jobId: replyJobId, retry: null }),
};
