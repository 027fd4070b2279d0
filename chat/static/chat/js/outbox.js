// Messages the server has not yet accepted. They live in localStorage, so that neither a reload nor a
// closed laptop loses one; the server takes each requestId once, so sending one again is always safe.

const KEY = "buddy.outbox";
let fallback = []; // when storage is blocked, messages at least survive a lost connection

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
    // Kept in memory.
  }
}

/** entry: {requestId, companion, threadId, draft, text, createdAt, owner?, held?} */
export const outbox = {
  all: read,
  get: (requestId) => read().find((entry) => entry.requestId === requestId),
  of: (view) => read().filter((e) => (view.threadId ? e.threadId === view.threadId : e.draft === view.draft)),
  add: (entry) => write([...read().filter((e) => e.requestId !== entry.requestId), entry]),
  remove: (requestId) => write(read().filter((entry) => entry.requestId !== requestId)),
  change: (requestId, fields) => write(read().map((e) => (e.requestId === requestId ? { ...e, ...fields } : e))),

  /** What is shown here but was written in another session, and so is not sent without being asked for. */
  strangers: (owner, view) => outbox.of(view).filter((entry) => entry.owner && entry.owner !== owner && !entry.held),

  /** The session has ended: its conversations cannot be reached, so what is unsent may open a new one. */
  leaveThreads() {
    const draft = crypto.randomUUID();
    write(read().map((entry) => ({ ...entry, threadId: null, draft })));
  },

  /** The first message of a conversation was accepted: those written after it belong there too. */
  adopt: (draft, threadId) => write(read().map((e) => (e.draft === draft && !e.threadId ? { ...e, threadId } : e))),

  /**
   * What can be sent now, in order. Of a conversation that has no id yet only the first message goes:
   * the others wait for the id, or each would open a conversation of its own.
   */
  ready(owner) {
    const opening = new Set();
    return read().filter((entry) => {
      if (entry.held || (entry.owner && owner && entry.owner !== owner)) return false;
      if (entry.threadId) return true;
      if (opening.has(entry.draft)) return false;
      return opening.add(entry.draft);
    });
  },
};
