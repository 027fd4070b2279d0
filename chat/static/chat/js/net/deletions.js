// Conversations that were deleted and owners who were erased; loaded with the first of them.

import { drafts } from "../device/drafts.js";
import { outbox } from "./outbox.js";
import { owner } from "./owner.js";

/** A conversation is gone. The tab that asked for it knows; each other one says so where it was open. */
export function threadDeleted(session, id) {
  const { store, ownDeletions, takenBack, onDeleted } = session;
  store.dispatch({ type: "threads/deleted", id });
  if (ownDeletions.has(id) || store.state.view.threadId !== id) return;
  const unsent = outbox.of(store.state.view);
  for (const { requestId } of unsent) {
    outbox.remove(requestId);
    takenBack.add(requestId);
  }
  onDeleted(unsent.map(({ text }) => text));
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
