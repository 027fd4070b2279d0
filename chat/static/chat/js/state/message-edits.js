// Edited and deleted messages, as pure functions from (messages, event) to messages.

import { isRunning, replace, verbOf } from "./messages.js";

const isUnsent = ({ status }) => status === "unsent" || status === "rejected";

/** Return the messages after a `thread:…` event. */
export function applyEdit(messages, event) {
  return { edited, removed }[verbOf(event)]?.(messages, event) ?? messages;
}

function edited(messages, { messageId, content }) {
  // An open editor stays open, even if another tab was faster.
  const change = ({ edit }) => ({ text: content, edit: edit?.status === "saving" ? null : edit });
  return replace(messages, (message) => message.id === messageId, change);
}

function removed(messages, { messageIds, receivedAt }) {
  const gone = new Set(messageIds);
  const index = messages.findIndex((m) => gone.has(m.id) && m.edit?.status === "saving");
  if (index >= 0) return sentAgain(messages, index, receivedAt);
  // An answer is removed with its question, also if only the question was named.
  const jobs = new Set(messages.filter((m) => gone.has(m.id)).map((m) => m.jobId));
  return jobs.size ? messages.filter((m) => !gone.has(m.id) && !jobs.has(m.jobId)) : messages;
}

/** Our own edit removed this message and all after it; the new text stays there until it is `queued`. */
function sentAgain(messages, index, createdAt) {
  const { requestId, text } = messages[index].edit;
  const fresh = { key: `${requestId}:user`, role: "user", requestId, text, status: "unsent", createdAt, isEdit: true };
  return [...messages.slice(0, index), fresh, ...messages.slice(index + 1).filter(isUnsent)];
}

/** Return what sending `question` again deletes: {answer, later, running}. */
export function lostBySendingAgain(messages, question) {
  const after = messages.slice(messages.indexOf(question) + 1).filter((m) => !isUnsent(m));
  const own = after.filter((m) => m.jobId === question.jobId);
  return { answer: own.length > 0, later: after.length - own.length, running: after.some(isRunning) };
}
