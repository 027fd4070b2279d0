// Connects the store with the server: sends what the visitor writes, follows the jobs, asks for what was
// missed.

import { isRunning } from "../state/messages.js";
import { api } from "./api.js";
import { newId } from "./ids.js";
import { onOtherOwner } from "./owner.js";
import { createPendingEdits } from "./pending-edits.js";
import { createSendQueue } from "./send-queue.js";
import { receive } from "./server-events.js";
import { createSocket } from "./socket.js";
import { createThreadLoader } from "./thread-loader.js";

/**
 * Create the session. onTrouble(refusal, {shown}): `shown` if the refusal is shown with a message;
 * onDeleted({threadId, companion, unsent}): a conversation was deleted, but not by this tab; the texts were not sent.
 */
export function createSession({ store, onEvent, onThread, onTrouble, onDeleted, onSpent }) {
  const session = { store, onEvent, onTrouble, onDeleted, onSpent, ownDeletions: new Set(), takenBack: new Set() };
  const socket = createSocket({
    onEvent: (event) => receive(session, event),
    onState(link) {
      store.dispatch({ type: "link", link });
      if (link.polling) import("./polling.js").then(({ poll }) => poll(socket, session));
    },
  });
  const { send } = socket;
  onOtherOwner(socket.end);
  const threadMissing = (threadId) => receive(session, { type: "thread:deleted", threadId });
  session.edits = createPendingEdits({ store, send });
  session.queue = createSendQueue({ store, send });
  session.watcher = createJobWatcher({ store, send });
  session.loader = createThreadLoader({
    store,
    isOnline: () => socket.kind === "online",
    onLoaded({ isNew }) {
      session.watcher.watchRunning();
      if (isNew) onThread();
    },
    onMissing: threadMissing,
  });
  return {
    ...requestsOf(session, send),
    connect: socket.open,
    /** A request has found that a conversation exists no longer. */
    threadMissing,
    /** Delete a conversation; rejects if that is not possible. */
    async removeThread(id) {
      session.ownDeletions.add(id);
      try {
        await api.remove(id);
      } catch (error) {
        session.ownDeletions.delete(id);
        throw error;
      }
      store.dispatch({ type: "threads/deleted", id });
    },
    /** Ask for the Markdown of an answer in progress; return false where none will come. */
    renderAnswer: (jobId, { run, offset }) => !socket.isPolling && send({ type: "job:render", jobId, run, offset }),
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
    isSaving: edits.isSaving,
    loadThread: loader.loadThread,
    loadThreads: loader.loadThreads,
    loadPage: loader.loadPage,
    follow: watcher.follow,
    deleteMessage: ({ id }) => request({ type: "message:withdraw", messageId: id }),
    regenerate: ({ id }) => request({ type: "message:regenerate", messageId: id, requestId: newId() }),
    branchChosen: loader.branchChosen,
    retry: (jobId) => request({ type: "job:retry", jobId }),
    /** Stop an answer. A request of its own also gets through while the connection is lost. */
    cancel(jobId) {
      store.dispatch({ type: "message/stopping", jobId, stopping: true });
      if (send({ type: "job:cancel", jobId })) return;
      api.cancel(jobId).catch(({ status, code, message }) => {
        store.dispatch({ type: "message/not-stopping" });
        onTrouble(status ? { code, error: message } : { code: "no_connection" }, { shown: false });
      });
    },
  };
}

/** Follow the jobs of the open conversation, and one that belongs to no message. */
function createJobWatcher({ store, send }) {
  const requested = new Map(); // jobId -> the gap that was asked for on this connection
  let followed = null;

  function watchRunning() {
    for (const { jobId, run, length } of store.state.messages.filter(isRunning)) {
      if (jobId) watch(jobId, { run, offset: length });
    }
  }

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
    watchRunning,
    watchAll() {
      watchRunning();
      if (followed) watch(followed);
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
