// From the outbox to the server: each message once on each connection, in order, until it is accepted.

import { outbox } from "./outbox.js";
import { sendsItself } from "./refusals.js";

const AT_ONCE = 10; // messages of a long absence; the server takes 20, and then 5 a second
const REST = 2500; // ms until the next ones

export function createSending({ store, send }) {
  let owner = null;
  let connection = 0;
  let resting = 0;
  const sentOn = new Map(); // requestId -> the connection it was sent on

  function flush() {
    if (resting) return;
    const ready = outbox.ready(owner).filter((entry) => sentOn.get(entry.requestId) !== connection);
    if (ready.length > AT_ONCE) {
      resting = setTimeout(() => {
        resting = 0;
        flush();
      }, REST);
    }
    for (const entry of ready.slice(0, AT_ONCE)) {
      const { requestId, companion, threadId, text } = entry;
      const frame = { type: "chat:message", requestId, companion, messages: [{ role: "user", content: text }] };
      if (send(threadId ? { ...frame, threadId } : frame)) sentOn.set(requestId, connection);
    }
  }

  function write(entry) {
    const mine = { ...entry, ...(owner && { owner }) };
    outbox.add(mine);
    store.dispatch({ type: "message/written", entry: mine });
    flush();
  }

  function hold(requestId, held) {
    outbox.change(requestId, { held });
    store.dispatch({ type: "event", event: { type: "chat:rejected", requestId, held } });
  }

  function resend(requestId) {
    const found = outbox.get(requestId);
    if (!found) return;
    const { held, ...entry } = found;
    sentOn.delete(requestId);
    write(entry);
  }

  return {
    flush,
    resend,

    /** A connection, the first or another, to `name`'s account; how many it have been. */
    connected(name) {
      owner = name;
      connection += 1;
      for (const entry of outbox.strangers(owner, store.state.view)) hold(entry.requestId, { code: "session" });
      flush();
      return connection;
    },

    /** Everything again, where no connection tells whether it arrived. */
    flushAgain() {
      sentOn.clear();
      flush();
    },

    say(text) {
      const { threadId, draft, companion } = store.state.view;
      write({ requestId: crypto.randomUUID(), companion, threadId, draft, text, createdAt: Date.now() });
    },

    discard(requestId) {
      outbox.remove(requestId);
      store.dispatch({ type: "message/discarded", requestId });
    },

    /** The message was accepted: it leaves the outbox, and those waiting for its conversation may go. */
    settle(event) {
      const entry = outbox.get(event.requestId);
      if (!entry) return;
      outbox.remove(entry.requestId);
      if (entry.threadId || !event.threadId) return;
      outbox.adopt(entry.draft, event.threadId);
      queueMicrotask(flush);
    },

    /** True when it was a message that was refused: it is kept, and shown with the reason. */
    refuse({ requestId, retryAfter }, refusal) {
      if (!outbox.get(requestId)) return false;
      hold(requestId, refusal);
      if (sendsItself(refusal)) setTimeout(() => resend(requestId), (retryAfter ?? 1) * 1000);
      return true;
    },
  };
}
