// Connects the store with the server: sends what the visitor writes, follows the jobs, asks for what was
// missed.

import { isRunning } from "../state/messages.js";
import { createPendingEdits } from "./pending-edits.js";
import { createSendQueue } from "./send-queue.js";
import { receive } from "./server-events.js";
import { createSocket } from "./socket.js";
import { createThreadLoader } from "./thread-loader.js";

const RESEND_EVERY = 10_000; // ms

/** Create the session. onTrouble(refusal, {shown}): `shown` if the refusal is shown with a message. */
export function createSession({ store, onEvent, onThread, onTrouble }) {
  const session = { store, onEvent, onTrouble };
  const onServerEvent = (event) => receive(session, event);
  const http = createHttpFallback(onServerEvent);
  const socket = createSocket({ onEvent: onServerEvent, onState: (link) => connectionChanged(session, http, link) });
  const send = (frame) => (socket.kind === "blocked" ? http : socket).send(frame);
  session.edits = createPendingEdits({ store, send });
  session.queue = createSendQueue({ store, send });
  session.watcher = createJobWatcher({ store, send });
  session.loader = createThreadLoader({
    store,
    isOnline: () => socket.kind === "online",
    onLoaded() {
      session.watcher.watchRunning();
      onThread();
    },
  });
  setInterval(() => socket.kind === "blocked" && sendAgain(session), RESEND_EVERY);
  return {
    ...requestsOf(session, send),
    connect: socket.open,
    /** Ask for the Markdown of an answer in progress; return false without a socket. */
    renderAnswer: (jobId, { run, offset }) => socket.send({ type: "job:render", jobId, run, offset }),
  };
}

/** Create what replaces a blocked WebSocket; its module is loaded when it is needed first. */
function createHttpFallback(onEvent) {
  let transport = null;
  const load = () => import("./http.js").then(({ createHttpTransport }) => createHttpTransport(onEvent));
  return {
    send(frame) {
      transport ??= load();
      transport.then(
        ({ send }) => send(frame),
        () => (transport = null), // no network: the message stays in the outbox
      );
      return true;
    },
    close: () => transport?.then(({ close }) => close()),
  };
}

/** Return what the page can ask of the server. */
function requestsOf({ store, edits, queue, loader, watcher, onTrouble }, send) {
  function request(frame) {
    const sent = send(frame);
    if (!sent) onTrouble({ code: "no_connection" }, { shown: false });
    return sent;
  }
  return {
    say: queue.say,
    resend: queue.resend,
    discard: queue.discard,
    edit: edits.save,
    loadThread: loader.loadThread,
    loadThreads: loader.loadThreads,
    loadPage: loader.loadPage,
    follow: watcher.follow,
    deleteMessage: ({ id }) => request({ type: "message:withdraw", messageId: id }),
    retry: (jobId) => request({ type: "job:retry", jobId }),
    cancel(jobId) {
      const stopping = request({ type: "job:cancel", jobId });
      store.dispatch({ type: "message/stopping", jobId, stopping });
    },
  };
}

function connectionChanged({ store, queue, watcher }, http, link) {
  store.dispatch({ type: "link", link });
  if (link.kind === "online") http.close();
  if (link.kind !== "blocked") return;
  queue.flush();
  watcher.watchRunning();
}

/** Without a socket no event reports that the network is back, so everything unsent is tried again. */
function sendAgain({ queue, edits }) {
  queue.flushAgain();
  edits.sendAgain();
}

/** Follow the jobs of the open conversation, and one that belongs to no message. */
function createJobWatcher({ store, send }) {
  const requested = new Map(); // jobId -> the gap that was asked for on this connection
  let followed = null;

  /** Without a run there is nothing an offset could count from. */
  const watch = (jobId, { run, offset } = {}) => send({ type: "job:watch", jobId, ...(run && { run, offset }) });

  return {
    /** Ask once for each missing piece: the deltas behind it would all ask for the same. */
    fillGap(jobId, { run, offset }) {
      const gap = `${run}.${offset}`;
      if (requested.get(jobId) === gap) return;
      requested.set(jobId, gap);
      watch(jobId, { run, offset });
    },
    watchRunning() {
      for (const { jobId, run, length } of store.state.messages.filter(isRunning)) {
        if (jobId) watch(jobId, { run, offset: length });
      }
    },
    follow(jobId) {
      followed = jobId;
      watch(jobId);
    },
    isFollowed: (jobId) => jobId === followed,
    /** Start again on a new connection. */
    connected() {
      requested.clear();
      if (followed) watch(followed);
    },
  };
}
