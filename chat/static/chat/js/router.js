// The address and the conversation that is open: each follows the other.

import { newId } from "./net/ids.js";
import { outbox } from "./net/outbox.js";
import { firstCompanion } from "./views/companion-picker.js";

const THREAD_PATH = /^\/t\/([0-9a-f]{32})\/?$/;
const MESSAGE_HASH = /^#([0-9a-f]{32})$/;

/**
 * Create the router. onLeave: the open conversation is left; onArrive: the visitor has gone elsewhere;
 * onEnd: the end of the conversation is wanted. placeOf(threadId): the id of the message where the reader was.
 */
export function createRouter({ store, session, onLeave, onArrive, onEnd, placeOf }) {
  /** Show what the address says. */
  function open() {
    const threadId = location.pathname.match(THREAD_PATH)?.[1];
    // A first message that was never accepted, perhaps written offline before a reload, is shown again.
    if (threadId) openThread(threadId, location.hash.match(MESSAGE_HASH)?.[1]);
    else openNew(outbox.all().find((entry) => !entry.threadId));
  }

  /** Open a conversation at the message `target`, or where its reader was, or at its end. */
  function openThread(threadId, target) {
    onLeave();
    store.dispatch({ type: "view/loading", threadId });
    session.loadThread(threadId, { target, place: target ? null : placeOf(threadId) });
  }

  function openNew(unsent) {
    onLeave();
    const companion = unsent?.companion ?? store.state.view.companion ?? firstCompanion;
    store.dispatch({ type: "view/new", companion, draft: unsent?.draft ?? newId() });
    if (unsent) for (const entry of outbox.of(store.state.view)) store.dispatch({ type: "message/written", entry });
  }

  function navigate(threadId, target) {
    const path = (threadId ? `/t/${threadId}` : "/") + (target ? `#${target}` : "");
    if (path !== location.pathname + location.hash) history.pushState(null, "", path);
    if (threadId) openThread(threadId, target);
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
    /** Show the end of a conversation to which something was added. */
    show(threadId) {
      if (threadId !== store.state.view.threadId) return navigate(threadId);
      history.replaceState(null, "", location.pathname);
      onEnd();
      return session.loadThread(threadId);
    },
  };
}
