// Editing and deleting messages: opens and closes editors, asks before anything is lost, and offers deleted
// text back.

import { commentPlace, drafts, editPlace } from "../../device/drafts.js";
import { isWaiting, waitingAnswers } from "../../state/messages.js";
import { codePoints, wellFormed } from "../../state/text-assembly.js";
import { EMPTY, MAX_TEXT, tooLong } from "../../text/error-messages.js";
import { isBlank } from "../../text/formats.js";
import { EDITS, removedElsewhere } from "../../text/wording.js";

/** Where it is kept what is written about a message: the change of a question, or a comment on an answer. */
const placeOf = ({ id, role }) => (role === "user" ? editPlace : commentPlace)(id);

/** Return what was written here about messages that are gone, changes and comments, and forget it there. */
const takeWritten = (messages) =>
  messages
    // Drafts are shared: without an editor here it is another tab's, which perhaps sends it, unless that was closed.
    .filter((m) => m.role !== "user" || m.edit || drafts.read(placeOf(m)).closed)
    .flatMap((message) => takeText(placeOf(message)));

function takeText(place) {
  const { text } = drafts.read(place);
  if (text) drafts.change(place, { text: "" });
  return text ? [text] : [];
}

/** Return why a text cannot be sent, or null. */
function whyNot(text) {
  if (isBlank(text)) return EMPTY;
  return codePoints(text) > MAX_TEXT ? tooLong(codePoints(text)) : null;
}

/** Return the question of an answer: of another version of it, too, which has a job of its own. */
const questionOf = (messages, { key }) =>
  messages
    .slice(
      0,
      messages.findIndex((m) => m.key === key),
    )
    .findLast((m) => m.role === "user");

/** Close an editor. What was changed is lost only if the visitor says so, and can be had back. */
function giveUp({ set, notice, session }, { key, id, text: before }) {
  if (session.isSaving(id)) return set(key, null);
  const [text = before] = takeText(editPlace(id));
  set(key, null);
  if (text.trim() === before) return;
  const run = () => {
    drafts.change(editPlace(id), { text });
    set(key, { status: "writing" });
  };
  notice.tell(EDITS.givenUp, { action: { label: "Restore", run } });
}

/** Return the questions whose editor was open when the conversation, the page or the branch was left. */
function edited(messages) {
  const places = drafts.edited();
  return messages.filter((m) => m.role === "user" && m.status === "sent" && !m.edit && places.has(m.id));
}

/** Say so if what is written about messages of the branch before is kept with them. */
function tellKept({ store, session, notice }, before) {
  const here = new Set(store.state.messages.map(({ id }) => id));
  const gone = before.filter(({ id }) => id && !here.has(id) && !session.isSaving(id));
  if (gone.some((message) => drafts.read(placeOf(message)).text)) notice.tell(EDITS.withVersion);
}

/** Put what was written about deleted messages into the composer, unless an edit of this page has deleted them. */
function keepWritten({ session, notice, restore }, { messageIds }, before) {
  const isOurs = messageIds.some(session.isSaving);
  const written = isOurs ? [] : takeWritten(before.filter(({ id }) => messageIds.includes(id)));
  if (!written.length) return;
  restore(written.join("\n\n"));
  notice.tell(removedElsewhere);
}

/** Create the controller; `restore(text)` puts text into the composer. */
export function createEditController({ store, session, notice, restore }) {
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
    if (waits && text === message.text) return giveUp({ set, notice, session }, message);
    return session.edit(message, text, { onlyIfWaiting: waits });
  }

  const open = ({ key }) => set(key, { status: "writing" });

  const reopen = () => edited(store.state.messages).forEach(open);
  function branchChosen(before) {
    tellKept({ store, session, notice }, before);
    reopen();
  }

  return {
    open,
    openQuestion: (answer) => open(questionOf(store.state.messages, answer)),
    /** Close the editor; what was written comes back when it is opened again. */
    close({ key, id }) {
      set(key, null);
      if (drafts.close(editPlace(id)) && !session.isSaving(id)) notice.tell(EDITS.kept);
    },
    giveUp: (message) => giveUp({ set, notice, session }, message),
    reopen,
    save,
    deleteMessage(message) {
      deleted.set(message.id, message.text);
      session.deleteMessage(message);
    },
    takeWritten,
    /** Offer the text of a message that this page deleted; keep what was written about those deleted elsewhere. */
    receive(event, before) {
      if (event.type === "thread:branch") return branchChosen(before);
      if (event.type !== "thread:removed") return;
      keepWritten({ session, notice, restore }, event, before);
      for (const id of event.messageIds) {
        const text = deleted.get(id);
        if (deleted.delete(id))
          notice.tell("Message deleted.", { action: { label: "Restore text", run: () => restore(text) } });
      }
    },
  };
}
