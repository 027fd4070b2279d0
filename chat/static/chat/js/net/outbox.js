// Messages that the server has not yet accepted. They are stored in localStorage, so that neither a reload
// nor a closed laptop loses one; the server accepts each requestId once, so sending again is always safe.

const KEY = "buddy.outbox";
let fallback = []; // if storage is blocked, messages at least survive a lost connection

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? [];
  } catch {
    return fallback;
  }
}

function write(entries) {
  fallback = entries;
  try {
    localStorage.setItem(KEY, JSON.stringify(entries));
  } catch {
    // Kept in memory only.
  }
}

/** entry: {requestId, companion, threadId, draft, text, createdAt, owner?, refusal?} */
export const outbox = {
  all: read,
  get: (requestId) => read().find((entry) => entry.requestId === requestId),
  of: (view) => read().filter((e) => (view.threadId ? e.threadId === view.threadId : e.draft === view.draft)),
  add: (entry) => write([...read().filter((e) => e.requestId !== entry.requestId), entry]),
  remove: (requestId) => write(read().filter((entry) => entry.requestId !== requestId)),
  change: (requestId, fields) => write(read().map((e) => (e.requestId === requestId ? { ...e, ...fields } : e))),

  /** Return what is shown here but was written in another session: the visitor decides whether to send it. */
  ofOtherSessions: (owner, view) =>
    outbox.of(view).filter((entry) => entry.owner && entry.owner !== owner && !entry.refusal),

  /** Detach all entries from their conversations, which cannot be reached after the end of the session. */
  leaveThreads() {
    const draft = crypto.randomUUID();
    write(read().map((entry) => ({ ...entry, threadId: null, draft })));
  },

  /** Move the entries of a new conversation to the id that its first message got. */
  adopt: (draft, threadId) => write(read().map((e) => (e.draft === draft && !e.threadId ? { ...e, threadId } : e))),

  /**
   * Return what can be sent now, in order. Of a conversation without an id only the first message is sent:
   * the others wait for the id, or each would open a conversation of its own.
   */
  ready(owner) {
    const opening = new Set();
    return read().filter((entry) => {
      if (entry.refusal || (entry.owner && owner && entry.owner !== owner)) return false;
      if (entry.threadId) return true;
      if (opening.has(entry.draft)) return false;
      return opening.add(entry.draft);
    });
  },
};
