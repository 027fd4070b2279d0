// Editing and deleting messages: opens and closes editors, asks before anything is lost, and offers deleted
// text back.

import { commentPlace, drafts, editPlace } from "../../device/drafts.js";
import { lostBySendingAgain } from "../../state/message-edits.js";
import { isWaiting, waitingAnswers } from "../../state/messages.js";
import { codePoints, wellFormed } from "../../state/text-assembly.js";
import { EMPTY, MAX_TEXT, tooLong } from "../../text/error-messages.js";
import { isBlank } from "../../text/formats.js";
import { lossText, removedElsewhere } from "../../text/wording.js";
import { $, confirmWith, setText } from "../dom.js";

/** Return what was written here about messages that are gone, changes and comments, and forget it there. */
const takeWritten = (messages) =>
  messages
    // Drafts are shared: without an editor here it is another tab's, which perhaps sends it.
    .map(({ id, edit }) => (edit ? editPlace(id) : commentPlace(id)))
    .flatMap((place) => {
      const { text } = drafts.read(place);
      if (text) drafts.change(place, { text: "" });
      return text ? [text] : [];
    });

/** Return why a text cannot be sent, or null. */
function whyNot(text) {
  if (isBlank(text)) return EMPTY;
  return codePoints(text) > MAX_TEXT ? tooLong(codePoints(text)) : null;
}

/** Create the controller; `restore(text)` puts text into the composer. */
export function createEditController({ store, session, notice, restore }) {
  const dialog = $("#confirm-edit");
  const deleted = new Map(); // messageId -> its text, until the server has removed it
  const set = (key, edit) => store.dispatch({ type: "message/editing", key, edit });

  function save(key, written) {
    const text = wellFormed(written);
    const { messages } = store.state;
    const message = messages.find((m) => m.key === key);
    if (!message) return null;
    const error = whyNot(text);
    if (error) return set(key, { status: "refused", refusal: { code: "too_long", error } });
    const waits = isWaiting(message, waitingAnswers(messages));
    if (waits && text === message.text) return set(key, null);
    if (waits) return session.edit(message, text, { onlyIfWaiting: true });
    setText($("[data-slot=what]", dialog), lossText(lostBySendingAgain(messages, message)));
    return confirmWith(dialog, () => session.edit(message, text, { onlyIfWaiting: false }));
  }

  const questionOf = ({ jobId }) => store.state.messages.find((m) => m.role === "user" && m.jobId === jobId);
  const open = ({ key }) => set(key, { status: "writing" });

  return {
    open,
    openQuestion: (answer) => open(questionOf(answer)),
    close: (key) => set(key, null),
    /** Open the editors that were open when the conversation, or the page, was left. */
    reopen() {
      const edited = drafts.edited();
      for (const { id, key, role, status, edit } of store.state.messages)
        if (role === "user" && status === "sent" && !edit && edited.has(id)) set(key, { status: "writing" });
    },
    save,
    /** Ask for a new answer in place of a saved one. */
    regenerate(answer) {
      const question = questionOf(answer);
      if (question) save(question.key, question.text);
    },
    deleteMessage(message) {
      deleted.set(message.id, message.text);
      session.deleteMessage(message);
    },
    takeWritten,
    /** Offer the text of a message that this page deleted; keep what was written about those deleted elsewhere. */
    receive({ type, messageIds }, before) {
      if (type !== "thread:removed") return;
      const isOurs = messageIds.some(session.isSaving);
      const written = isOurs ? [] : takeWritten(before.filter(({ id }) => messageIds.includes(id)));
      if (written.length) {
        restore(written.join("\n\n"));
        notice.tell(removedElsewhere);
      }
      for (const id of messageIds) {
        const text = deleted.get(id);
        if (deleted.delete(id))
          notice.tell("Message deleted.", { action: { label: "Restore text", run: () => restore(text) } });
      }
    },
  };
}
