// From the outbox to the server: each message once per connection, in order, until it is accepted.

import { drafts } from "../device/drafts.js";
import { isSentAgain } from "../text/error-messages.js";
import { newId } from "./ids.js";
import { outbox } from "./outbox.js";

const BATCH_SIZE = 10; // messages after a long absence; the server accepts 20 at once, then 5 a second
const PAUSE = 2500; // ms between two batches

/** Create the queue; `send(frame)` returns whether the frame was handed to a connection. */
export function createSendQueue({ store, send }) {
  const queue = { store, send, connection: 0, timer: 0, sentOn: new Map() };
  return {
    flush: () => flush(queue),
    /** Send everything again, where no connection shows whether it arrived. */
    flushAgain() {
      queue.sentOn.clear();
      flush(queue);
    },
    /** Start on a new connection; return how many there were so far. */
    connected() {
      queue.connection += 1;
      catchUp(queue);
      flush(queue);
      return queue.connection;
    },
    say(text) {
      const { threadId, draft, companion } = store.state.view;
      write(queue, { requestId: newId(), companion, threadId, draft, text, createdAt: Date.now() });
    },
    resend: (requestId) => resend(queue, requestId),
    discard(requestId) {
      outbox.remove(requestId);
      store.dispatch({ type: "message/discarded", requestId });
    },
    settle: (event) => settle(queue, event),
    /** Keep a refused message, to be shown with the reason; return false if `requestId` is not a message. */
    refuse({ requestId, retryAfter }, refusal) {
      if (!outbox.get(requestId)) return false;
      setAside(queue, requestId, refusal);
      if (isSentAgain(refusal)) setTimeout(() => resend(queue, requestId), (retryAfter ?? 1) * 1000);
      return true;
    },
  };
}

function flush(queue) {
  if (queue.timer) return;
  const { sentOn, connection } = queue; // requestId -> the connection it was sent on
  const ready = outbox.ready().filter(({ requestId }) => sentOn.get(requestId) !== connection);
  if (ready.length > BATCH_SIZE) {
    queue.timer = setTimeout(() => {
      queue.timer = 0;
      flush(queue);
    }, PAUSE);
  }
  for (const { requestId, companion, threadId, text } of ready.slice(0, BATCH_SIZE)) {
    const frame = { type: "chat:message", requestId, companion, messages: [{ role: "user", content: text }] };
    if (queue.send(threadId ? { ...frame, threadId } : frame)) sentOn.set(requestId, connection);
  }
}

/**
 * Another tab may have sent what is shown here while this one had no connection. Sent again, it is answered as
 * the first time. What another tab deleted is not shown any more.
 */
function catchUp({ store }) {
  const { view, messages } = store.state;
  for (const { requestId, status, text, createdAt } of messages) {
    if (status !== "unsent" || outbox.get(requestId)) continue;
    if (!outbox.wasAccepted(requestId)) store.dispatch({ type: "message/discarded", requestId });
    else
      outbox.add({ requestId, companion: view.companion, threadId: view.threadId, draft: view.draft, text, createdAt });
  }
}

function write(queue, entry) {
  outbox.add(entry);
  queue.store.dispatch({ type: "message/written", entry });
  flush(queue);
}

/** Keep a message in the outbox until the visitor sends it again. */
function setAside({ store }, requestId, refusal) {
  outbox.change(requestId, { refusal });
  store.dispatch({ type: "event", event: { type: "chat:rejected", requestId, refusal } });
}

function resend(queue, requestId) {
  const found = outbox.get(requestId);
  if (!found) return;
  const { refusal, ...entry } = found;
  queue.sentOn.delete(requestId);
  write(queue, entry);
}

/** Remove an accepted message from the outbox; those that wait for its conversation can be sent. */
function settle(queue, event) {
  const entry = outbox.get(event.requestId);
  if (!entry) return;
  outbox.accept(entry.requestId);
  if (entry.threadId || !event.threadId) return;
  outbox.adopt(entry.draft, event.threadId);
  if (queue.store.state.view.draft !== entry.draft) drafts.move(entry.draft, event.threadId); // of another tab
  queueMicrotask(() => flush(queue));
}
