// Replaces a blocked WebSocket: takes the same frames, uses HTTP and server-sent events, and emits the same
// events.

import { api } from "./api.js";

const VERBS = ["queued", "position", "started", "delta", "progress", "retrying", "completed", "failed", "cancelled"];
const LAST = new Set(["completed", "failed", "cancelled"]);
const TOPICS = ["chat", "audio", "analysis"];

/** Create the transport; `onEvent` receives the events. */
export function createHttpTransport(onEvent) {
  const jobs = createJobFollower(onEvent);
  const calls = createCalls(onEvent, jobs.follow);
  return {
    send(frame) {
      calls[frame.type](frame).catch((error) => {
        if (!error.status) return; // no network: the message stays in the outbox
        const { code, message, retryAfter, care } = error;
        onEvent({ type: "error", requestId: frame.requestId, code, error: message, retryAfter, care });
      });
      return true;
    },
    close: jobs.close,
  };
}

/** frame.type -> a function that carries the frame out over HTTP. */
function createCalls(onEvent, follow) {
  function accept(answer) {
    onEvent({ ...answer, type: answer.kind === "audio.transcribe" ? "audio:queued" : "chat:queued" });
    follow(answer.jobId);
  }
  return {
    async "chat:message"({ companion, messages, threadId, requestId }) {
      accept(await api.say(companion, { messages, requestId, ...(threadId && { threadId }) }));
    },
    async "job:retry"({ jobId }) {
      accept(await api.retry(jobId));
    },
    "job:cancel": ({ jobId }) => api.cancel(jobId),
    async "message:edit"({ messageId, content, requestId, onlyIfWaiting }) {
      const answer = await api.edit(messageId, { content, requestId, onlyIfWaiting });
      const { jobId, threadId } = answer;
      if (answer.messageId === messageId)
        return onEvent({ type: "thread:edited", threadId, messageId, jobId, content });
      onEvent({ type: "thread:removed", threadId, messageIds: [messageId] });
      return accept(answer);
    },
    async "message:withdraw"({ messageId }) {
      await api.withdraw(messageId);
      onEvent({ type: "thread:removed", messageIds: [messageId] });
    },
    "job:watch": async ({ jobId }) => follow(jobId),
  };
}

/** Follow jobs over server-sent events, each until its end. */
function createJobFollower(onEvent) {
  const sources = new Map(); // jobId -> EventSource

  function stop(jobId) {
    sources.get(jobId)?.close();
    sources.delete(jobId);
  }

  function follow(jobId) {
    stop(jobId);
    const source = api.events(jobId); // from its beginning; reconnects by itself, from where it was
    sources.set(jobId, source);
    const receive = ({ type, data }) => {
      if (LAST.has(type.split(":")[1])) stop(jobId);
      onEvent({ ...JSON.parse(data), type });
    };
    for (const topic of TOPICS) for (const verb of VERBS) source.addEventListener(`${topic}:${verb}`, receive);
  }

  return { follow, close: () => [...sources.keys()].forEach(stop) };
}
