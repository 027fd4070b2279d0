// Where we are: the address says which conversation is open, and a new conversation gets its address.

import { firstCompanion } from "./companions.js";
import { outbox } from "./outbox.js";

export function createAddress({ store, session, onLeave, onArrive }) {
  /** Shows what the address says; `fresh` when somebody asks for a new conversation and not for the last. */
  function open({ fresh = false } = {}) {
    const threadId = location.pathname.match(/^\/t\/([0-9a-f]{32})\/?$/)?.[1];
    onLeave();
    if (threadId) {
      store.dispatch({ type: "view/loading", threadId });
      session.loadThread(threadId);
      return;
    }
    // A first message that was never accepted, perhaps written offline before a reload, is shown again.
    const unsent = fresh ? null : outbox.all().find((entry) => !entry.threadId);
    const companion = unsent?.companion ?? store.state.view.companion ?? firstCompanion;
    store.dispatch({ type: "view/new", companion, draft: unsent?.draft ?? crypto.randomUUID() });
    if (unsent) for (const entry of outbox.of(store.state.view)) store.dispatch({ type: "message/written", entry });
  }

  function navigate(path) {
    if (path !== location.pathname) history.pushState(null, "", path);
    open({ fresh: true });
    onArrive();
  }

  window.addEventListener("popstate", () => open());
  store.watch(({ view }, before) => {
    if (view.threadId && !before.view.threadId && view.kind === "thread") history.pushState(null, "", `/t/${view.threadId}`);
  });

  return {
    open,
    navigate,
    /** Shows a conversation to which something was added. */
    goTo(threadId) {
      if (threadId === store.state.view.threadId) session.loadThread(threadId);
      else navigate(`/t/${threadId}`);
    },
  };
}
