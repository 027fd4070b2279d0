// Applies the server's events to the session: the store, the outbox, the edits and the page.

import { gapBefore } from "../state/message-events.js";
import { findAnswer, isOver, topicOf, verbOf } from "../state/messages.js";
import { refusalOf } from "../text/error-messages.js";
import { isStillOwner } from "./owner.js";

/** Apply one event, from the socket or from HTTP. */
export function receive(session, event) {
  event.receivedAt = Date.now();
  if (event.care) showCare(session, { ...event.care, type: "care:help", requestId: event.requestId }); // over HTTP
  handlerOf(event)?.(session, event);
  // Also of a job elsewhere, that failed or that found a title: each may have called the model.
  if (event.type === "thread:renamed" || isOver({ status: verbOf(event) })) session.onSpent();
}

const deletions = () => import("./deletions.js");

const handlers = {
  hello: greeted,
  "care:help": showCare,
  "queue:pressure": ({ store }, event) => store.dispatch({ ...event, type: "pressure" }),
  error: refused,
  "thread:deleted": async (session, { threadId }) => (await deletions()).threadDeleted(session, threadId),
  "owner:erased": async (session) => (await deletions()).erased(session),
  async "thread:branch"({ store, loader, onEvent }, event) {
    const before = store.state.messages;
    await loader.branchChosen(event.threadId);
    onEvent(event, before);
  },
  "thread:renamed": ({ store }, { threadId, title }) =>
    store.dispatch({ type: "threads/renamed", id: threadId, title }),
};

function handlerOf(event) {
  if (handlers[event.type]) return handlers[event.type];
  if (verbOf(event) === "rejected") return refused;
  if (topicOf(event) === "thread") return messagesChanged;
  return event.jobId ? jobChanged : null;
}

function greeted({ store, edits, queue, loader, watcher }, { owner, adopted }) {
  if (!isStillOwner(owner, adopted)) return;
  store.dispatch({ type: "pressure/unknown" }); // the server reports queues that are not `normal` after this
  const connection = queue.connected();
  edits.sendAgain();
  // Before each greeting, also the first, anything may have been missed: what was loaded, or is being loaded,
  // may have been read before this connection received events.
  loader.messagesChanged();
  loader.loadThreads();
  if (store.state.view.kind !== "loading") loader.reloadThread();
  if (connection === 1) watcher.watchRunning();
  watcher.connected();
}

function showCare({ store, onEvent }, care) {
  store.dispatch({ type: "care", care });
  onEvent(care);
}

function refused({ store, edits, queue, loader, takenBack, onTrouble }, event) {
  if (takenBack.has(event.requestId)) return; // its conversation was deleted, which has been said
  const refusal = refusalOf(event);
  if (["wrong_state", "not_found"].includes(refusal.code)) loader.reloadThread({ all: true });
  const shown = edits.refuse(event.requestId, refusal) || queue.refuse(event, refusal);
  if (!shown) store.dispatch({ type: "message/not-stopping" });
  onTrouble(refusal, { shown });
}

/** A message was edited, or some were deleted. */
function messagesChanged({ store, edits, loader, onEvent }, event) {
  loader.messagesChanged();
  const before = store.state.messages;
  store.dispatch({ type: "event", event });
  edits.settle(event);
  if (store.state.messages !== before) onEvent(event, before); // the tab that asked for it receives it twice
}

function jobChanged(session, event) {
  const { store, loader, watcher, onEvent } = session;
  const isQueued = verbOf(event) === "queued";
  if (isQueued) accepted(session, event);
  if (event.type === "audio:completed" && event.threadId) loader.loadThreads(); // its title comes with the transcript
  const gap = gapBefore(store.state.messages, event);
  if (gap) return watcher.fillGap(event.jobId, gap);
  store.dispatch({ type: "event", event });
  const isHere = Boolean(findAnswer(store.state.messages, event));
  // A deleted message is cancelled too; its cancellation is no news.
  if (isQueued || isHere || watcher.isFollowed(event.jobId)) onEvent(event);
  else if (verbOf(event) === "started") session.early = event;
  // Something began in another tab, in the conversation that is open here.
  if (isQueued && !isHere && event.threadId === store.state.view.threadId) loader.reloadThread();
  return isQueued && session.early?.jobId === event.jobId ? startedEarly(session) : null;
}

/** A worker publishes the start, the web process the place in line: the start may arrive first. */
function startedEarly(session) {
  const { early } = session;
  session.early = null;
  jobChanged(session, early);
}

function accepted({ edits, queue, loader }, event) {
  loader.messagesChanged();
  queue.settle(event);
  edits.settle(event);
  loader.loadThreads(); // the conversation is new in the list, or moves to its top
}
