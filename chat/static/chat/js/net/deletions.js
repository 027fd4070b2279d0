// Conversations that were deleted and owners who were erased; loaded with the first of them.

import { drafts } from "../device/drafts.js";
import { outbox } from "./outbox.js";
import { owner } from "./owner.js";

/** A conversation is gone. The tab that asked for it knows; each other one goes on with what was not sent there. */
export function threadDeleted(session, threadId) {
  const { store, ownDeletions, takenBack, onDeleted } = session;
  const companion = store.state.threads.items.find(({ id }) => id === threadId)?.companion;
  store.dispatch({ type: "threads/deleted", id: threadId });
  const unsent = outbox.of({ threadId });
  for (const { requestId } of unsent) {
    outbox.remove(requestId);
    takenBack.add(requestId);
  }
  if (!ownDeletions.has(threadId)) onDeleted({ threadId, companion, unsent: unsent.map(({ text }) => text) });
}

/** All data of this owner was erased. The session ends next. */
export function erased({ store }) {
  owner.isErased = true;
  for (const { requestId } of outbox.all()) outbox.remove(requestId);
  drafts.erase();
  history.replaceState(null, "", "/"); // where to start again
  store.dispatch({ type: "threads/loaded", page: { items: [], next: null }, before: null });
  store.dispatch({ type: "view/problem", kind: "erased" });
}
