// The files and recordings of drafts, in IndexedDB; loaded when there is one. Where there is no room, the page
// works without: what is not kept is lost with the page.

import { owner } from "../net/owner.js";

const NAME = "buddy";
const STORE = "files";
const KEPT = 7 * 24 * 3600_000; // ms for which the files of other owners stay

let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(request.error);
  });
  return opened;
}

/** Run `work(store)`; return its result, or null where nothing is stored. */
async function run(mode, work) {
  try {
    const transaction = (await open()).transaction(STORE, mode);
    const request = work(transaction.objectStore(STORE));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
    return request?.result ?? null;
  } catch {
    return null;
  }
}

export const files = {
  get: (key) => run("readonly", (store) => store.get(key)),
  /** Return whether `value` is kept. */
  put: async (key, value) => (await run("readwrite", (store) => store.put({ ...value, at: Date.now() }, key))) !== null,
  remove: (key) => run("readwrite", (store) => store.delete(key)),
  /** Remove everything whose key starts with `start`. */
  removeAll: (start) => run("readwrite", (store) => store.delete(IDBKeyRange.bound(start, `${start}\uffff`))),
  async move(from, to) {
    const value = await files.get(from);
    if (value && (await files.put(to, value))) await files.remove(from);
  },
};

/** Remove what other owners left long ago. */
run("readwrite", (store) => {
  store.openCursor().onsuccess = ({ target: { result: cursor } }) => {
    if (!cursor) return;
    const isMine = [owner.me, owner.before].includes(cursor.key.split(" ")[1]);
    if (!isMine && Date.now() - cursor.value.at > KEPT) cursor.delete();
    cursor.continue();
  };
});
