// Edited and deleted messages, as pure functions from (messages, event) to messages.

import { replace, verbOf } from "./messages.js";

/** Return the messages after a `thread:…` event. */
export function applyEdit(messages, event) {
  return { edited, removed }[verbOf(event)]?.(messages, event) ?? messages;
}

function edited(messages, { messageId, content }) {
  // An open editor stays open, even if another tab was faster.
  const change = ({ edit }) => ({ text: content, edit: edit?.status === "saving" ? null : edit });
  return replace(messages, (message) => message.id === messageId, change);
}

function removed(messages, { messageIds }) {
  const gone = new Set(messageIds);
  // An answer is removed with its question, also if only the question was named.
  const jobs = new Set(messages.filter((m) => gone.has(m.id)).map((m) => m.jobId));
  return jobs.size ? messages.filter((m) => !gone.has(m.id) && !jobs.has(m.jobId)) : messages;
}
