// Edits on their way to the server. Until one is answered its editor stays open, with the text in it; a
// lost connection is no answer, so it is sent again on the next. The server takes each requestId once.

export function createEdits({ store, send }) {
  const pending = new Map(); // requestId -> {key, frame}

  const mark = (key, edit) => store.dispatch({ type: "message/editing", key, edit });

  return {
    /** With `onlyIfWaiting` it is refused, rather than asked anew, where its answer has begun meanwhile. */
    save({ key, id }, text, { onlyIfWaiting }) {
      const requestId = crypto.randomUUID();
      const frame = { type: "message:edit", messageId: id, content: text, requestId, onlyIfWaiting };
      if (!send(frame)) return mark(key, { status: "refused", refusal: { code: "no_connection" } });
      pending.set(requestId, { key, frame });
      return mark(key, { status: "saving", requestId, text });
    },

    sendAgain() {
      for (const { frame } of pending.values()) send(frame);
    },

    /** The server has done one: it answers with `thread:edited` or with `queued`. */
    settle(event) {
      for (const [requestId, { frame }] of pending) {
        const inPlace = event.type === "thread:edited" && frame.messageId === event.messageId;
        if (inPlace || event.requestId === requestId) pending.delete(requestId);
      }
    },

    /** True when it was an edit that was refused. */
    refuse(requestId, refusal) {
      const edit = pending.get(requestId);
      if (!edit) return false;
      pending.delete(requestId);
      mark(edit.key, { status: "refused", refusal });
      return true;
    },
  };
}
