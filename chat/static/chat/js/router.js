// The address and the conversation that is open: each follows the other.

import { outbox } from "./net/outbox.js";
import { firstCompanion } from "./views/companion-picker.js";

const THREAD_PATH = /^\/t\/([0-9a-f]{32})\/?$/;

/** Create the router. onLeave: the open conversation is left; onArrive: the visitor has gone elsewhere. */
export function createRouter({ store, session, onLeave, onArrive }) {
  /** Show what the address says. */
  function open() {
    const threadId = location.pathname.match(THREAD_PATH)?.[1];
    // A first message that was never accepted, perhaps written offline before a reload, is shown again.
    if (threadId) openThread(threadId);
    else openNew(outbox.all().find((entry) => !entry.threadId));
  }

  function openThread(threadId) {
    onLeave();
    store.dispatch({ type: "view/loading", threadId });
    session.loadThread(threadId);
  }

  function openNew(unsent) {
    onLeave();
    const companion = unsent?.companion ?? store.state.view.companion ?? firstCompanion;
    store.dispatch({ type: "view/new", companion, draft: unsent?.draft ?? crypto.randomUUID() });
    if (unsent) for (const entry of outbox.of(store.state.view)) store.dispatch({ type: "message/written", entry });
  }

  function navigate(threadId) {
    const path = threadId ? `/t/${threadId}` : "/";
    if (path !== location.pathname) history.pushState(null, "", path);
    if (threadId) openThread(threadId);
    else openNew();
    onArrive();
  }

  window.addEventListener("popstate", open);
  store.watch(({ view }, before) => {
    if (view.threadId && !before.view.threadId && view.kind === "thread")
      history.pushState(null, "", `/t/${view.threadId}`);
  });

  return {
    open,
    toNew: () => navigate(null),
    toThread: navigate,
    /** Show a conversation to which something was added. */
    show(threadId) {
      if (threadId === store.state.view.threadId) session.loadThread(threadId);
      else navigate(threadId);
    },
  };
}
