// Feedback on an answer. It is saved at once; after a thumb down the visitor may say why, and change it later.
// Loaded with the first thumb that is pressed.

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
  if (message().feedback?.value === value) return save({ thumb, message, tools }, null);
  save({ thumb, message, tools }, { value });
  return value === "down" ? openForm({ thumb, message, tools }) : null;
}

/** Save `feedback`, or remove it with null, and say so below the answer. */
async function save(place, feedback) {
  const { store, notice, say } = place.tools;
  const { key, id, feedback: before } = place.message();
  const show = (value) => store.dispatch({ type: "message/feedback", key, feedback: value });
  show(feedback);
  const thanks = feedback ? thank(place, feedback) : below(place.thumb)?.remove();
  try {
    await api.rate(id, feedback);
    say(feedback ? FEEDBACK.thanks : FEEDBACK.removed);
  } catch (error) {
    show(before);
    thanks?.remove();
    notice.tell(`${FEEDBACK.notSaved} ${error.message}`);
  }
}

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
  fill(thanks, { change: reason || comment ? FEEDBACK.change : FEEDBACK.sayWhy });
  change.hidden = value !== "down";
  change.onclick = () => openForm(place);
  return thanks;
}

function openForm(place) {
  const { thumb, message } = place;
  const { reason = "", comment = "" } = message().feedback ?? {};
  const form = putBelow(thumb, clone("feedback"));
  for (const choice of form.querySelectorAll("[name=reason]")) choice.defaultChecked = choice.value === reason;
  $("textarea", form).defaultValue = comment;
  form.onreset = () => {
    thank(place, message().feedback ?? { value: "down" });
    thumb.focus();
  };
  connectField($("textarea", form));
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
function connectField(field) {
  field.oninput = () => {
    const length = codePoints(field.value);
    field.setCustomValidity(length > MAX_COMMENT ? commentTooLong(length, MAX_COMMENT) : "");
  };
}
