// The tools below an answer: copy, report, cost, and the thumbs. Feedback is saved at once; after a thumb
// down the visitor may say why.

import { api } from "../../net/api.js";
import { isOver, isRunning } from "../../state/messages.js";
import { costText } from "../../text/wording.js";
import { $, clone, fill } from "../dom.js";

/** Draw what surrounds the text of an answer; `question` is the message before it. */
export function drawAnswer(element, message, question) {
  // Busy: screen readers leave the text alone until it is complete.
  element.ariaBusy = isRunning(message);
  const isComplete = message.status === "completed";
  const tools = $(".message__tools", element);
  tools.hidden = isRunning(message) || !message.text;
  fill(tools, { bill: isOver(message) ? costText(message) : "" });
  $(".message__cut", element).hidden = !isComplete || !message.truncated;
  $(".message__cached", tools).hidden = !message.cached;
  const report = $(".message__report", tools);
  report.hidden = !isComplete || question?.attachment?.kind !== "document";
  report.href = `/api/analysis/${message.jobId}/report.md`;
  for (const thumb of tools.querySelectorAll(".thumb"))
    thumb.ariaPressed = message.feedback?.value === thumb.dataset.value;
}

/** Return press(thumb, message), for a click on a thumb; `message()` returns the answer as it is then. */
export function createFeedback({ store, notice, say }) {
  async function save({ key, id, feedback: before }, feedback, thanks) {
    const show = (value) => store.dispatch({ type: "message/feedback", key, feedback: value });
    show(feedback);
    try {
      await api.rate(id, feedback);
      say(thanks);
    } catch (error) {
      show(before);
      notice.tell(`Your feedback was not saved. ${error.message}`);
    }
  }

  return function press(thumb, message) {
    const { value } = thumb.dataset;
    const isPressed = message().feedback?.value === value;
    $(".feedback", thumb.closest("[data-key]"))?.remove();
    if (value === "down" && !isPressed) {
      openForm(thumb, (answers) => save(message(), { value: "down", ...answers }, "Thank you."));
    }
    save(message(), isPressed ? null : { value }, isPressed ? "Feedback removed." : "Thank you.");
  };
}

function openForm(thumb, onSubmit) {
  const form = clone("feedback");
  form.onreset = () => {
    form.remove();
    thumb.focus();
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    onSubmit(Object.fromEntries(new FormData(form)));
    form.reset();
  };
  thumb.parentElement.after(form);
}
