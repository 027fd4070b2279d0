// Edits that the server has not yet answered. The editor stays open with its text until then; after a lost
// connection they are sent again. The server accepts each requestId once.

import { drafts, editPlace } from "../device/drafts.js";
import { newId } from "./ids.js";

export function createPendingEdits({ store, send }) {
  const pending = new Map(); // requestId -> {key, frame}

  const mark = (key, edit) => store.dispatch({ type: "message/editing", key, edit });

  return {
    /** Send an edit. With `onlyIfWaiting` the server refuses it if the answer has already started. */
    save({ key, id }, text, { onlyIfWaiting }) {
      const requestId = newId();
      const frame = { type: "message:edit", messageId: id, content: text, requestId, onlyIfWaiting };
      if (!send(frame)) return mark(key, { status: "refused", refusal: { code: "no_connection" } });
      pending.set(requestId, { key, frame });
      return mark(key, { status: "saving", requestId, text });
    },

    isSaving: (messageId) => [...pending.values()].some(({ frame }) => frame.messageId === messageId),

    sendAgain() {
      for (const { frame } of pending.values()) send(frame);
    },

    /** Forget the edit that the server has carried out: it answers with `thread:edited` or `queued`. */
    settle(event) {
      for (const [requestId, { frame }] of pending) {
        const inPlace = event.type === "thread:edited" && frame.messageId === event.messageId;
        if (!inPlace && event.requestId !== requestId) continue;
        pending.delete(requestId);
        drafts.change(editPlace(frame.messageId), { text: "" });
      }
    },

    /** Mark the refused edit; return false if `requestId` is not an edit. */
    refuse(requestId, refusal) {
      const edit = pending.get(requestId);
      if (!edit) return false;
      pending.delete(requestId);
      mark(edit.key, { status: "refused", refusal });
      return true;
    },
  };
}
