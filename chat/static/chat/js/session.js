// Talks to the server for the page: sends what is written, keeps up with what happens, asks for what
// was missed. Everything it learns goes into the store.

import { api } from "./api.js";
import { createEdits } from "./edits.js";
import { httpTransport } from "./http.js";
import { findAnswer, gapBefore, isRunning, topicOf, verbOf } from "./messages.js";
import { outbox } from "./outbox.js";
import { refusalOf } from "./refusals.js";
import { createSending } from "./sending.js";
import { Socket } from "./socket.js";

const RESEND_EVERY = 10_000;
const LOAD_AGAIN = 2000; // ms after a conversation could not be loaded
const THREADS_A_PAGE = 50; // a full page means that there may be more

export function createSession({ store, onEvent, onThread, onTrouble }) {
  let connection = 0;
  let beside = null; // a job that belongs to no message, and is followed all the same
  let turns = 0; // counts what changes which messages there are, to notice a thread loaded meanwhile

  const http = httpTransport(heard);
  const url = new URL("/ws/", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new Socket(url, {
    onEvent: heard,
    onState(link) {
      store.dispatch({ type: "link", link });
      if (link.kind === "online") http.close();
      if (link.kind === "blocked") {
        sending.flush();
        watchRunning();
      }
    },
  });
  // Without a socket nothing tells us that the network is back, so what is unsent is tried again.
  setInterval(() => {
    if (socket.kind !== "blocked") return;
    sending.flushAgain();
    edits.sendAgain();
  }, RESEND_EVERY);

  const send = (frame) => (socket.kind === "blocked" ? http.send(frame) : socket.send(frame));
  const edits = createEdits({ store, send });
  const sending = createSending({ store, send });

  function heard(event) {
    event.receivedAt = Date.now();
    if (event.type === "hello") return greeted(event);
    if (event.type === "care:help") return helped(event);
    if (event.care) helped({ ...event.care, type: "care:help", requestId: event.requestId }); // over HTTP
    if (event.type === "queue:pressure") return store.dispatch({ ...event, type: "pressure" });
    if (verbOf(event) === "rejected" || event.type === "error") return refused(event);
    if (event.type === "thread:renamed") return store.dispatch({ type: "threads/renamed", id: event.threadId, title: event.title });
    if (topicOf(event) === "thread") return rethought(event);
    if (!event.jobId) return null;

    if (verbOf(event) === "queued") {
      turns += 1;
      sending.settle(event);
      edits.settle(event);
      loadThreads(); // it is new in the list, or goes to its top
    }
    if (event.type === "audio:completed" && event.threadId) loadThreads(); // its title comes with its words
    const gap = gapBefore(store.state.messages, event);
    if (gap) return fillGap(event.jobId, gap);
    store.dispatch({ type: "event", event });
    // What is withdrawn is cancelled, too, and that is no news after its removal.
    if (verbOf(event) === "queued" || event.jobId === beside || findAnswer(store.state.messages, event)) onEvent(event);
    if (isFromElsewhere(event)) loadThread(event.threadId);
    return null;
  }

  function helped(event) {
    store.dispatch({ type: "care", care: event });
    onEvent(event);
  }

  function greeted(event) {
    store.dispatch({ type: "pressure/unknown" }); // what is not normal is told after this
    connection = sending.connected(event.owner);
    edits.sendAgain();
    // The first hello finds a page that is loading anyway; a later one may have missed anything.
    if (connection > 1) {
      loadThreads();
      if (store.state.view.threadId) loadThread(store.state.view.threadId);
    } else watchRunning();
    if (beside) watch(beside, {});
  }

  /** One question per missing piece: the deltas behind it would all ask for the same. */
  const asked = new Map();
  function fillGap(jobId, gap) {
    const question = `${gap.run}.${gap.offset}.${connection}`;
    if (asked.get(jobId) === question) return;
    asked.set(jobId, question);
    watch(jobId, gap);
  }

  /** Without a run there is nothing yet that an offset could count from. */
  const watch = (jobId, { run, offset }) => send({ type: "job:watch", jobId, ...(run && { run, offset }) });

  function watchRunning() {
    for (const { jobId, run, length } of store.state.messages.filter(isRunning)) {
      if (jobId) watch(jobId, { run, offset: length });
    }
  }

  /** A message was edited, or some are gone. */
  function rethought(event) {
    turns += 1;
    const before = store.state.messages;
    store.dispatch({ type: "event", event });
    edits.settle(event);
    if (store.state.messages !== before) onEvent(event); // the tab that asked for it is told twice
  }

  function refused(event) {
    const refusal = refusalOf(event);
    if (["wrong_state", "not_found"].includes(refusal.code) && store.state.view.threadId) loadThread(store.state.view.threadId);
    if (edits.refuse(event.requestId, refusal)) return onTrouble(refusal, { shown: true });
    if (sending.refuse(event, refusal)) return onTrouble(refusal, { shown: true });
    store.dispatch({ type: "message/not-stopping" });
    return onTrouble(refusal, { shown: false });
  }

  /** Something happens in the open conversation that began in another tab. */
  const isFromElsewhere = (event) =>
    verbOf(event) === "queued" &&
    event.threadId === store.state.view.threadId &&
    !findAnswer(store.state.messages, event);

  async function loadThread(id) {
    const before = turns;
    try {
      const thread = await api.thread(id);
      if (store.state.view.threadId !== id) return;
      if (turns !== before) return void loadThread(id); // it may lack what we have been told meanwhile
      store.dispatch({ type: "view/thread", thread, outbox: outbox.of(store.state.view) });
      watchRunning();
      onThread();
    } catch (error) {
      if (store.state.view.threadId !== id) return;
      // What is shown lacks something that another tab or device did.
      if (store.state.view.kind === "thread") return void (error.status !== 404 && loadAgain(id));
      store.dispatch({ type: "view/problem", kind: error.status === 404 ? "missing" : "broken" });
    }
  }

  let again = 0;
  function loadAgain(id) {
    clearTimeout(again);
    // Without a socket there is no haste: the next one begins with loading it.
    again = setTimeout(() => socket.online && store.state.view.threadId === id && loadThread(id), LOAD_AGAIN);
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
    say: sending.say,
    resend: sending.resend,
    discard: sending.discard,
    loadThread,
    loadThreads,
    /** Asks for the Markdown of an answer that is being written; false when there is no socket. */
    render: (jobId, { run, offset }) => socket.send({ type: "job:render", jobId, run, offset }),
    edit: edits.save,
    withdraw({ id }) {
      if (!send({ type: "message:withdraw", messageId: id })) onTrouble({ code: "no_connection" }, { shown: false });
    },
    cancel(jobId) {
      const stopping = send({ type: "job:cancel", jobId });
      if (!stopping) onTrouble({ code: "no_connection" }, { shown: false });
      store.dispatch({ type: "message/stopping", jobId, stopping });
    },
    follow(jobId) {
      beside = jobId;
      watch(jobId, {});
    },
    retry(jobId) {
      if (!send({ type: "job:retry", jobId })) onTrouble({ code: "no_connection" }, { shown: false });
    },
  };
}
