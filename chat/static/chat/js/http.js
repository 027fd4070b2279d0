// The way round a blocked WebSocket: takes the same frames, speaks HTTP and server-sent events, and
// hands out the same events, so that nobody else needs to know.

import { api } from "./api.js";

const VERBS = ["queued", "position", "started", "delta", "progress", "retrying", "completed", "failed", "cancelled"];
const LAST = new Set(["completed", "failed", "cancelled"]);

export function httpTransport(onEvent) {
  const followed = new Map();

  function follow(jobId, offset = 0) {
    followed.get(jobId)?.close();
    const source = api.events(jobId, offset); // reconnects by itself, from where it was
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
    onEvent({ ...answer, type: "chat:queued" });
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
    "job:watch": async ({ jobId, offset }) => follow(jobId, offset),
  };

  return {
    send(frame) {
      calls[frame.type](frame).catch((error) => {
        if (!error.status) return; // no network: the message stays in the outbox
        onEvent({
          type: frame.requestId ? "chat:rejected" : "error",
          requestId: frame.requestId,
          code: error.code,
          error: error.message,
          retryAfter: error.retryAfter,
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
