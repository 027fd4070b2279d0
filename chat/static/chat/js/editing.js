// Editing and withdrawing, as the visitor goes about it: opens and closes editors, asks before anything
// is lost, and offers back what was withdrawn.

import { lostByAskingAnew } from "./changes.js";
import { $, setText } from "./dom.js";
import { isRunning, waits } from "./messages.js";
import { MAX_TEXT, tooLong } from "./refusals.js";
import { codePoints } from "./stream.js";

export function createEditing({ store, session, notice, restore }) {
  const dialog = $("#confirm-edit");
  const withdrawn = new Map(); // messageId -> its text, until the server has removed it

  const set = (key, edit) => store.dispatch({ type: "message/editing", key, edit });
  const find = (key) => store.state.messages.find((message) => message.key === key);

  function save(key, text) {
    const message = find(key);
    if (!text || !message) return;
    if (text === message.text && waits(store.state.messages, message)) return set(key, null);
    if (codePoints(text) > MAX_TEXT) return notice.tell(tooLong(codePoints(text)));
    if (waits(store.state.messages, message)) return session.edit(message, text, { onlyIfWaiting: true });
    setText($("[data-slot=what]", dialog), lossSentence(message));
    dialog.returnValue = "keep";
    dialog.showModal();
    dialog.onclose = () => dialog.returnValue === "send" && session.edit(message, text, { onlyIfWaiting: false });
  }

  function lossSentence(message) {
    const { answer, later, running } = lostByAskingAnew(store.state.messages, message, isRunning);
    const rest = later === 1 ? "the message after that" : `the ${later} messages after that`;
    const gone = [answer && "its answer", later && rest].filter(Boolean).join(" and ");
    const removed = gone ? `This message is asked anew; ${gone} will be removed.` : "This message is asked anew.";
    return running ? `${removed} What is being written there is stopped.` : removed;
  }

  return {
    open: ({ key }) => set(key, { status: "writing" }),
    close: (key) => set(key, null),
    save,
    /** Asks the model for another answer, where this one was an earlier one. */
    askAnew({ jobId }) {
      const question = store.state.messages.find((m) => m.role === "user" && m.jobId === jobId);
      if (question) save(question.key, question.text);
    },
    withdraw(message) {
      withdrawn.set(message.id, message.text);
      session.withdraw(message);
    },
    heard({ type, messageIds }) {
      if (type !== "thread:removed") return;
      for (const id of messageIds) {
        const text = withdrawn.get(id);
        if (!withdrawn.delete(id)) continue;
        notice.tell("Message withdrawn.", { action: { label: "Write it again", run: () => restore(text) } });
      }
    },
  };
}
