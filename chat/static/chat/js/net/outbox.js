// Messages that the server has not yet accepted. They are kept on this device, so that neither a reload nor a
// closed laptop loses one; the server accepts each requestId once, so sending again is always safe.
// Each has an owner from its first moment. Those of other owners stay until they come back, but not for long.

import { device } from "../device/storage.js";
import { owner } from "./owner.js";

const KEY = "buddy.outbox";
const ACCEPTED = "buddy.accepted";
const REMEMBERED = 50; // accepted messages
const KEPT = 7 * 24 * 3600_000; // ms for which the messages of other owners stay

const list = (key) => {
  const value = device.read(key);
  return Array.isArray(value) ? value : []; // other things at the same address share this storage
};
const isEntry = (entry) => ["requestId", "owner", "text"].every((name) => typeof entry?.[name] === "string");
const stored = () => list(KEY).filter(isEntry);
const accepted = () => list(ACCEPTED);
const store = (entries) => device.set(KEY, JSON.stringify(entries));

const isMine = (entry) => entry.owner === owner.me || (owner.before && entry.owner === owner.before);

/** Return the messages of this page's owner. What was written before signing in here is among them. */
const read = () => stored().filter(isMine);

function write(entries) {
  const isKept = (e) => e.owner && !isMine(e) && Date.now() - e.createdAt < KEPT;
  store([...stored().filter(isKept), ...entries.map((entry) => ({ ...entry, owner: owner.me }))]);
}

if (owner.before) write(read());

/** entry: {requestId, companion, threadId, draft, text, createdAt, owner, refusal?} */
export const outbox = {
  all: read,
  get: (requestId) => read().find((entry) => entry.requestId === requestId),
  of: (view) => read().filter((e) => (view.threadId ? e.threadId === view.threadId : e.draft === view.draft)),
  add: (entry) => write([...read().filter((e) => e.requestId !== entry.requestId), entry]),
  remove: (requestId) => write(read().filter((entry) => entry.requestId !== requestId)),
  /** Remove a message that the server has accepted, and remember its id for tabs that had no connection then. */
  accept(requestId) {
    outbox.remove(requestId);
    device.set(ACCEPTED, JSON.stringify([...accepted(), requestId].slice(-REMEMBERED)));
  },
  wasAccepted: (requestId) => accepted().includes(requestId),
  /** Return whether what waits here outlives the page. */
  isKept: () => device.isKept(KEY),
  /** Remove the messages of an owner, whose page this tab was, in these conversations, and return their texts. */
  takeOver(of, places) {
    const all = stored();
    const isLeft = (e) => e.owner === of && places.includes(e.threadId ?? e.draft);
    store(all.filter((entry) => !isLeft(entry)));
    return all.filter(isLeft).map(({ text }) => text);
  },
  change: (requestId, fields) => write(read().map((e) => (e.requestId === requestId ? { ...e, ...fields } : e))),

  /** Move the entries of a new conversation to the id that its first message got. */
  adopt: (draft, threadId) => write(read().map((e) => (e.draft === draft && !e.threadId ? { ...e, threadId } : e))),

  /**
   * Return what can be sent now, in order. Of a conversation without an id only the first message is sent:
   * the others wait for the id, or each would open a conversation of its own.
   */
  ready() {
    const opening = new Set();
    return read().filter((entry) => {
      if (entry.refusal) return false;
      if (entry.threadId) return true;
      if (opening.has(entry.draft)) return false;
      return opening.add(entry.draft);
    });
  },
};
