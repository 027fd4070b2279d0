// Second thoughts, as pure functions from (messages, event) to messages: a question that was edited, and
// messages that are gone, because they were withdrawn or because a question before them was asked anew.

import { replace, verbOf } from "./messages.js";

const isUnsent = (message) => message.status === "unsent" || message.status === "rejected";

export function applyChange(messages, event) {
  return { edited, removed }[verbOf(event)]?.(messages, event) ?? messages;
}

function edited(messages, { messageId, content }) {
  // An editor that is being written in stays open, even if another tab was faster.
  const change = ({ edit }) => ({ text: content, edit: edit?.status === "saving" ? null : edit });
  return replace(messages, (message) => message.id === messageId, change);
}

function removed(messages, { messageIds, receivedAt }) {
  const gone = new Set(messageIds);
  const index = messages.findIndex((m) => gone.has(m.id) && m.edit?.status === "saving");
  if (index >= 0) return askedAnew(messages, index, receivedAt);
  // An answer goes with its question, also where only the question was named.
  const jobs = new Set(messages.filter((m) => gone.has(m.id)).map((m) => m.jobId));
  return jobs.size ? messages.filter((m) => !gone.has(m.id) && !jobs.has(m.jobId)) : messages;
}

/** Our own edit removed this message and all after it; the new text stands there until it is `queued`. */
function askedAnew(messages, index, createdAt) {
  const { requestId, text } = messages[index].edit;
  const anew = { key: `${requestId}:user`, role: "user", requestId, text, status: "unsent", createdAt, askedAnew: true };
  return [...messages.slice(0, index), anew, ...messages.slice(index + 1).filter(isUnsent)];
}

/** What asking `question` anew would take away: {answers, later, running}. */
export function lostByAskingAnew(messages, question, isRunning) {
  const after = messages.slice(messages.indexOf(question) + 1).filter((m) => !isUnsent(m));
  const own = after.filter((m) => m.jobId === question.jobId);
  return { answer: own.length > 0, later: after.length - own.length, running: after.some(isRunning) };
}
