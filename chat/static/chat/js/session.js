// Talks to the server for the page: sends what is written, keeps up with what happens, asks for what
// was missed. Everything it learns goes into the store.

import { api } from "./api.js";
import { httpTransport } from "./http.js";
import { findAnswer, gapBefore, isRunning, verbOf } from "./messages.js";
import { outbox } from "./outbox.js";
import { Socket } from "./socket.js";

const RESEND_EVERY = 10_000;
const THREADS_A_PAGE = 50; // a full page means that there may be more

export function createSession({ store, onEvent, onThread }) {
  let owner = null;
  const sentOn = new Map(); // requestId -> the connection it was sent on, so that each sends it once
  let connection = 0;

  const http = httpTransport(heard);
  const url = new URL("/ws/", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new Socket(url, {
    onEvent: heard,
    onState(link) {
      store.dispatch({ type: "link", link });
      if (link.kind === "online") http.close();
      if (link.kind === "blocked") {
        flush();
        watchRunning();
      }
    },
  });
  // Without a socket nothing tells us that the network is back, so what is unsent is tried again.
  setInterval(() => {
    if (socket.kind !== "blocked") return;
    sentOn.clear();
    flush();
  }, RESEND_EVERY);

  const send = (frame) => (socket.kind === "blocked" ? http.send(frame) : socket.send(frame));

  function heard(event) {
    event.receivedAt = Date.now();
    if (event.type === "hello") return greeted(event);
    if (event.requestId && (verbOf(event) === "rejected" || event.type === "error")) return refused(event);
    if (!event.jobId) return null;

    if (verbOf(event) === "queued") {
      settle(event);
      loadThreads(); // it is new in the list, or goes to its top
    }
    const gap = gapBefore(store.state.messages, event);
    if (gap) return fillGap(event.jobId, gap);
    store.dispatch({ type: "event", event });
    onEvent(event);
    if (isFromElsewhere(event) || isCutShort(event)) loadThread(event.threadId);
    return null;
  }

  function greeted(event) {
    owner = event.owner;
    connection += 1;
    flush();
    // The first hello finds a page that is loading anyway; a later one may have missed anything.
    if (connection > 1) {
      loadThreads();
      if (store.state.view.threadId) loadThread(store.state.view.threadId);
    } else watchRunning();
  }

  /** One question per missing piece: the deltas behind it would all ask for the same. */
  const asked = new Map();
  function fillGap(jobId, gap) {
    const question = `${gap.attempt}.${gap.offset}.${connection}`;
    if (asked.get(jobId) === question) return;
    asked.set(jobId, question);
    send({ type: "job:watch", jobId, ...gap });
  }

  function watchRunning() {
    for (const { jobId, attempt, length } of store.state.messages.filter(isRunning)) {
      if (jobId) send({ type: "job:watch", jobId, offset: length, ...(attempt && { attempt }) });
    }
  }

  /** The message was accepted: it leaves the outbox, and those waiting for its conversation may go. */
  function settle(event) {
    const entry = outbox.get(event.requestId);
    if (!entry) return;
    outbox.remove(entry.requestId);
    if (entry.threadId || !event.threadId) return;
    outbox.adopt(entry.draft, event.threadId);
    queueMicrotask(flush);
  }

  function refused(event) {
    const held = { error: event.error, retryAt: event.retryAfter ? event.receivedAt + event.retryAfter * 1000 : null };
    outbox.change(event.requestId, { held });
    const rejected = { ...event, type: "chat:rejected", held };
    store.dispatch({ type: "event", event: rejected });
    onEvent(rejected);
  }

  /** Something happens in the open conversation that began in another tab. */
  const isFromElsewhere = (event) =>
    verbOf(event) === "queued" &&
    event.threadId === store.state.view.threadId &&
    !findAnswer(store.state.messages, event);

  /** What had been said before a stop comes as plain text; the thread has it rendered. */
  const isCutShort = (event) =>
    verbOf(event) === "cancelled" && Boolean(event.text) && event.threadId === store.state.view.threadId;

  function flush() {
    for (const entry of outbox.ready(owner)) {
      if (sentOn.get(entry.requestId) === connection) continue;
      const { requestId, companion, threadId, text } = entry;
      const frame = { type: "chat:message", requestId, companion, messages: [{ role: "user", content: text }] };
      if (send(threadId ? { ...frame, threadId } : frame)) sentOn.set(requestId, connection);
    }
  }

  function say(text) {
    const { threadId, draft, companion } = store.state.view;
    const requestId = crypto.randomUUID();
    const entry = { requestId, companion, threadId, draft, text, createdAt: Date.now(), ...(owner && { owner }) };
    outbox.add(entry);
    store.dispatch({ type: "message/written", entry });
    flush();
  }

  async function loadThread(id) {
    try {
      const thread = await api.thread(id);
      if (store.state.view.threadId !== id) return;
      store.dispatch({ type: "view/thread", thread, outbox: outbox.of(store.state.view) });
      watchRunning();
      onThread();
    } catch (error) {
      if (store.state.view.threadId !== id || store.state.view.kind === "thread") return;
      store.dispatch({ type: "view/problem", kind: error.status === 404 ? "missing" : "broken" });
    }
  }

  async function loadThreads({ before } = {}) {
    try {
      const { threads: items } = await api.threads(before);
      store.dispatch({ type: "threads/loaded", items, more: items.length >= THREADS_A_PAGE, append: Boolean(before) });
    } catch {
      store.dispatch({ type: "threads/failed" });
    }
  }

  return {
    connect: () => socket.open(),
    say,
    loadThread,
    loadThreads,
    resend(requestId) {
      const { held, ...entry } = outbox.get(requestId);
      outbox.add(entry);
      sentOn.delete(requestId);
      store.dispatch({ type: "message/written", entry });
      flush();
    },
    discard(requestId) {
      outbox.remove(requestId);
      store.dispatch({ type: "message/discarded", requestId });
    },
    cancel(jobId) {
      const stopping = send({ type: "job:cancel", jobId });
      store.dispatch({ type: "message/stopping", jobId, stopping });
    },
    retry: (jobId) => send({ type: "job:retry", jobId }),
  };
}
