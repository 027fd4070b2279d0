// The address and the conversation that is open: each follows the other.

import { drafts, newPlace } from "./device/drafts.js";
import { newId } from "./net/ids.js";
import { outbox } from "./net/outbox.js";
import { existing } from "./views/companion-picker.js";

const THREAD_PATH = /^\/t\/([0-9a-f]{32})\/?$/;
const MESSAGE_HASH = /^#([0-9a-f]{32})$/;

/** A new conversation has got its id with its first message. */
function showNewId({ view }, before) {
  if (view.threadId && !before.view.threadId && view.kind === "thread")
    history.pushState(null, "", `/t/${view.threadId}`);
}

/**
 * Create the router. onLeave: the open conversation is left; onArrive: the visitor has gone elsewhere;
 * onEnd: the end of the conversation is wanted. placeOf(threadId): the id of the message where the reader was.
 * onEnded: the visitor goes elsewhere after the session of this page has ended, when nothing more can be loaded.
 */
export function createRouter({ store, session, onLeave, onArrive, onEnd, onEnded, placeOf }) {
  /** Show what the address says; a new conversation is with `companion`, if one is named. */
  function open(companion) {
    const threadId = location.pathname.match(THREAD_PATH)?.[1];
    // A first message that was never accepted, perhaps written offline before a reload, is shown again.
    if (threadId) return openThread(threadId, location.hash.match(MESSAGE_HASH)?.[1]);
    return openNew({ companion, unsent: outbox.all().find((entry) => !entry.threadId) });
  }

  /** Open a conversation at the message `target`, or where its reader was, or at its end. */
  function openThread(threadId, target) {
    onLeave();
    store.dispatch({ type: "view/loading", threadId });
    session.loadThread(threadId, { target, place: target ? null : placeOf(threadId) });
  }

  function openNew({ unsent, ...wanted } = {}) {
    onLeave();
    const { view } = store.state;
    const companion = existing(unsent?.companion ?? wanted.companion ?? view.companion);
    if (view.kind === "missing") drafts.move(view.threadId, newPlace(companion)); // what was written outlives it
    store.dispatch({ type: "view/new", companion, draft: unsent?.draft ?? newId() });
    if (unsent) for (const entry of outbox.of(store.state.view)) store.dispatch({ type: "message/written", entry });
  }

  /** query: the words that a search has found in the message `target`. */
  function navigate(threadId, target, query) {
    const path = (threadId ? `/t/${threadId}` : "/") + (target ? `#${target}` : "");
    go(() => {
      history[path === location.pathname + location.hash ? "replaceState" : "pushState"]({ query }, "", path);
      return threadId ? openThread(threadId, target) : openNew();
    });
  }

  function go(show) {
    if (store.state.link.kind === "ended") return onEnded();
    show();
    return onArrive();
  }

  window.addEventListener("popstate", () => go(open));
  store.watch(showNewId);

  return {
    open,
    toNew: () => navigate(null),
    /** Open a new conversation with the companion. */
    toNewWith(companion) {
      navigate(null);
      store.dispatch({ type: "view/companion", companion });
    },
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
