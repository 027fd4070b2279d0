// Loads conversations and their list into the store.

import { api } from "./api.js";
import { outbox } from "./outbox.js";

const RETRY_AFTER = 2000; // ms

/** What only long conversations need is loaded with the first of them. */
const pages = () => import("./thread-pages.js");

/**
 * Create the loader. `onLoaded({isNew})` is called after each load; `isNew` if nothing was shown before.
 * `onMissing(id)`: a conversation that is shown exists no longer.
 */
export function createThreadLoader({ store, isOnline, onLoaded, onMissing }) {
  let revision = 0; // changes with the set of messages
  let timer = 0;
  const isOpen = (id) => store.state.view.threadId === id;

  /**
   * Load the newest page; or that around the message `target`, which is shown, or `place`, where the reader was; or
   * all pages down to the message `downTo`.
   */
  async function loadThread(id, { target, place, downTo } = {}) {
    const before = revision;
    const around = target ?? place;
    try {
      const thread = downTo
        ? await (await pages()).pagesDownTo(id, downTo)
        : await api.thread(id, around && { around });
      if (!isOpen(id)) return null;
      if (revision !== before) return loadThread(id, { target, place, downTo }); // it may lack what was reported meanwhile
      const isNew = store.state.view.kind === "loading";
      store.dispatch({ type: "view/thread", thread, target, outbox: outbox.of(store.state.view) });
      return onLoaded({ isNew });
    } catch (error) {
      if (around && error.status === 404) return loadThread(id, await elsewhere(id, target));
      return isOpen(id) && failed(id, error);
    }
  }

  function failed(id, { status, code }) {
    const kind = status === 404 ? "missing" : code === "other_owner" ? "ended" : "broken";
    if (store.state.view.kind !== "thread") return store.dispatch({ type: "view/problem", kind });
    if (kind === "missing") return onMissing(id);
    // The page lacks what another tab or device did. Without a socket the next connection loads it anyway.
    clearTimeout(timer);
    timer = setTimeout(() => isOnline() && isOpen(id) && loadThread(id), RETRY_AFTER);
    return null;
  }

  return {
    loadThread,
    loadThreads: createListLoader(store),
    /** Load the page next to what is shown. side: `before` or `after`. */
    async loadPage(side) {
      const { threadId } = store.state.view;
      store.dispatch({ type: "view/paging", paging: side });
      await pages()
        .then(({ addPage }) => addPage(store, side))
        .catch(() => isOpen(threadId) && store.dispatch({ type: "view/paging", paging: "failed" }));
    },
    /** Load the open conversation again, if there is one and its end is shown; with `all`, each of its messages. */
    reloadThread({ all } = {}) {
      const { view, messages } = store.state;
      if (view.threadId && !view.later) loadThread(view.threadId, { downTo: all && messages[0]?.id });
    },
    /** Another branch was chosen: load it as far back as this one is shown, or its end. */
    branchChosen(threadId) {
      revision += 1;
      const { view, messages } = store.state;
      return isOpen(threadId) ? loadThread(threadId, { downTo: view.later ? undefined : messages[0]?.id }) : null;
    },
    /** Report that messages were added or removed: what is being loaded may lack them. */
    messagesChanged: () => (revision += 1),
  };
}

/** Choose the branch of a message that is not on the shown one. Return the place to load; the end if it is gone. */
const elsewhere = (id, target) =>
  target
    ? api.choose(id, target).then(
        () => ({ target }),
        () => ({}),
      )
    : {};

/** Return the function that loads a page of the list: the newest, or the one that begins at `before`. */
function createListLoader(store) {
  let newest = 0; // requests of the newest page: the answer to the last one counts
  return async ({ before = null } = {}) => {
    const mine = before ? 0 : ++newest;
    try {
      const { threads: items, next } = await api.threads(before);
      if (before || mine === newest) store.dispatch({ type: "threads/loaded", page: { items, next }, before });
    } catch {
      store.dispatch({ type: "threads/failed" });
    }
  };
}
