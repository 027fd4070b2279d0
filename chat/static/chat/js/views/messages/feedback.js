// Feedback on an answer. It is saved at once; after a thumb down the visitor may say why, and change it later.
// Loaded with the first thumb that is pressed.

import { commentPlace, drafts } from "../../device/drafts.js";
import { api } from "../../net/api.js";
import { codePoints, wellFormed } from "../../state/text-assembly.js";
import { commentTooLong, FEEDBACK } from "../../text/feedback-wording.js";
import { $, clone, fill } from "../dom.js";

const MAX_COMMENT = 1000; // code points; the server's limit

/**
 * A thumb was pressed. message(): the answer as it is then; tools: {store, notice, say}.
 */
export function pressThumb(thumb, message, tools) {
  const { value } = thumb.dataset;
  const { id, feedback } = message();
  const draft = drafts.read(commentPlace(id)).text;
  const isOpen = below(thumb)?.matches(".feedback");
  // A reload may have come between the saving of a comment and the end of its draft.
  if (value === "down" && !isOpen && draft && draft !== feedback?.comment) return openForm({ thumb, message, tools });
  if (feedback?.value === value) return save({ thumb, message, tools }, null);
  save({ thumb, message, tools }, { value });
  return value === "down" ? openForm({ thumb, message, tools }) : null;
}

/** Save `feedback`, or remove it with null, and say so below the answer. */
async function save(place, feedback) {
  const { store, notice, say } = place.tools;
  const { key, id, feedback: before } = place.message();
  const show = (value) => store.dispatch({ type: "message/feedback", key, feedback: value });
  const form = below(place.thumb);
  drafts.close(commentPlace(id));
  show(feedback);
  const thanks = feedback ? thank(place, feedback) : below(place.thumb)?.remove();
  try {
    await api.rate(id, feedback);
    if (feedback?.comment) forget(id);
    say(feedback ? FEEDBACK.thanks : FEEDBACK.removed);
  } catch (error) {
    show(before);
    if (thanks?.isConnected) thanks.replaceWith(...(form ? [form] : [])); // with what was written and chosen
    notice.tell(`${FEEDBACK.notSaved} ${error.message}`);
  }
}

/** A comment that is being written is a draft: it stays on this device until it is saved or cleared. */
const forget = (id) => drafts.change(commentPlace(id), { text: "" });

const below = (thumb) => $(".feedback, .feedback-thanks", thumb.closest("[data-key]"));

/** Put `element` below the answer, in place of what was there, and in view. */
function putBelow(thumb, element) {
  below(thumb)?.remove();
  thumb.parentElement.after(element);
  element.scrollIntoView({ block: "nearest" });
  return element;
}

function thank(place, { value, reason, comment }) {
  const thanks = putBelow(place.thumb, clone("feedback-thanks"));
  const change = $("button", thanks);
  const draft = drafts.read(commentPlace(place.message().id)).text;
  const isUnsent = draft && draft !== comment; // what is being saved is still a draft
  fill(thanks, { change: isUnsent ? FEEDBACK.goOn : reason || comment ? FEEDBACK.change : FEEDBACK.sayWhy });
  change.hidden = value !== "down";
  change.onclick = () => openForm(place);
  return thanks;
}

function openForm(place) {
  const { thumb, message } = place;
  const { reason = "", comment = "" } = message().feedback ?? {};
  const form = putBelow(thumb, clone("feedback"));
  for (const choice of form.querySelectorAll("[name=reason]")) choice.defaultChecked = choice.value === reason;
  const field = $("textarea", form);
  const { id } = message();
  field.defaultValue = comment;
  field.value = drafts.read(commentPlace(id)).text || comment;
  if (field.value !== comment) drafts.change(commentPlace(id), { text: field.value }); // it is open again
  form.onreset = () => {
    drafts.close(commentPlace(id));
    thank(place, message().feedback ?? { value: "down" });
    thumb.focus();
  };
  connectField(field, (text) => drafts.change(commentPlace(id), { text: text === comment ? "" : text }));
  form.addEventListener("dismiss", form.onreset);
  form.onsubmit = (event) => {
    event.preventDefault();
    const answers = Object.fromEntries(new FormData(form));
    save(place, { value: "down", ...answers, comment: wellFormed(answers.comment) });
    thumb.focus();
  };
  $("[name=reason]:checked", form)?.focus();
}

/** Refuse to submit a comment that is too long. Not maxlength: it counts emoji twice, and cuts without a word. */
function connectField(field, onWrite) {
  field.oninput = () => {
    onWrite(field.value);
    const length = codePoints(field.value);
    field.setCustomValidity(length > MAX_COMMENT ? commentTooLong(length, MAX_COMMENT) : "");
  };
}
