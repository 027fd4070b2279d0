// Loads conversations and their list into the store.

import { api } from "./api.js";
import { outbox } from "./outbox.js";

const RETRY_AFTER = 2000; // ms
const PAGE_SIZE = 50; // a full page means that there may be more

/** Create the loader. `onLoaded` is called after each conversation that was loaded. */
export function createThreadLoader({ store, isOnline, onLoaded }) {
  let revision = 0; // changes with the set of messages
  let timer = 0;
  const isOpen = (id) => store.state.view.threadId === id;

  async function loadThread(id) {
    const before = revision;
    try {
      const thread = await api.thread(id);
      if (!isOpen(id)) return null;
      if (revision !== before) return loadThread(id); // it may lack what was reported meanwhile
      store.dispatch({ type: "view/thread", thread, outbox: outbox.of(store.state.view) });
      return onLoaded();
    } catch (error) {
      return isOpen(id) && failed(id, error.status === 404);
    }
  }

  function failed(id, isMissing) {
    if (store.state.view.kind !== "thread")
      return store.dispatch({ type: "view/problem", kind: isMissing ? "missing" : "broken" });
    if (isMissing) return null;
    // The page lacks what another tab or device did. Without a socket the next connection loads it anyway.
    clearTimeout(timer);
    timer = setTimeout(() => isOnline() && isOpen(id) && loadThread(id), RETRY_AFTER);
    return null;
  }

  async function loadThreads({ before } = {}) {
    try {
      const { threads: items } = await api.threads(before);
      store.dispatch({ type: "threads/loaded", items, more: items.length >= PAGE_SIZE, append: Boolean(before) });
    } catch {
      store.dispatch({ type: "threads/failed" });
    }
  }

  return {
    loadThread,
    loadThreads,
    /** Load the open conversation again, if there is one. */
    reloadThread: () => store.state.view.threadId && loadThread(store.state.view.threadId),
    /** Report that messages were added or removed: what is being loaded may lack them. */
    messagesChanged: () => (revision += 1),
  };
}
