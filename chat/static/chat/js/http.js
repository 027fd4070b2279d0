// The way round a blocked WebSocket: takes the same frames, speaks HTTP and server-sent events, and
// hands out the same events, so that nobody else needs to know.

import { api } from "./api.js";

const VERBS = ["queued", "position", "started", "delta", "progress", "retrying", "completed", "failed", "cancelled"];
const LAST = new Set(["completed", "failed", "cancelled"]);

export function httpTransport(onEvent) {
  const followed = new Map();

  function follow(jobId) {
    followed.get(jobId)?.close();
    const source = api.events(jobId); // from its beginning; reconnects by itself, from where it was
    followed.set(jobId, source);
    for (const topic of ["chat", "audio", "analysis"]) {
      for (const verb of VERBS) {
        source.addEventListener(`${topic}:${verb}`, ({ type, data }) => {
          if (LAST.has(verb)) {
            source.close();
            followed.delete(jobId);
          }
          onEvent({ ...JSON.parse(data), type });
        });
      }
    }
  }

  function accepted(answer) {
    onEvent({ ...answer, type: answer.kind === "audio.transcribe" ? "audio:queued" : "chat:queued" });
    follow(answer.jobId);
  }

  const calls = {
    async "chat:message"({ companion, messages, threadId, requestId }) {
      accepted(await api.say(companion, { messages, requestId, ...(threadId && { threadId }) }));
    },
    async "job:retry"({ jobId }) {
      accepted(await api.retry(jobId));
    },
    "job:cancel": ({ jobId }) => api.cancel(jobId),
    async "message:edit"({ messageId, content, requestId, onlyIfWaiting }) {
      const answer = await api.edit(messageId, { content, requestId, onlyIfWaiting });
      const { jobId, threadId } = answer;
      if (answer.messageId === messageId) return onEvent({ type: "thread:edited", threadId, messageId, jobId, content });
      onEvent({ type: "thread:removed", threadId, messageIds: [messageId] });
      return accepted(answer);
    },
    async "message:withdraw"({ messageId }) {
      await api.withdraw(messageId);
      onEvent({ type: "thread:removed", messageIds: [messageId] });
    },
    "job:watch": async ({ jobId }) => follow(jobId),
  };

  return {
    send(frame) {
      calls[frame.type](frame).catch((error) => {
        if (!error.status) return; // no network: the message stays in the outbox
        onEvent({
          type: "error",
          requestId: frame.requestId,
          code: error.code,
          error: error.message,
          retryAfter: error.retryAfter,
          care: error.care,
        });
      });
      return true;
    },
    close() {
      for (const source of followed.values()) source.close();
      followed.clear();
    },
  };
}
