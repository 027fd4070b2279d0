// Thumbs below an answer: kept at once; a thumb down may say why.

import { api } from "./api.js";
import { $, clone } from "./dom.js";

export function drawFeedback(element, { feedback }) {
  for (const thumb of element.querySelectorAll(".thumb")) thumb.ariaPressed = feedback?.value === thumb.dataset.value;
}

export function createFeedback({ store, notice, say }) {
  async function give({ key, id, feedback: before }, feedback, thanks) {
    const show = (feedback) => store.dispatch({ type: "message/feedback", key, feedback });
    show(feedback);
    try {
      await api.rate(id, feedback);
      say(thanks);
    } catch (error) {
      show(before);
      notice.tell(`Your feedback was not saved. ${error.message}`);
    }
  }

  function ask(thumb, message) {
    const form = clone("feedback");
    form.onreset = () => {
      form.remove();
      thumb.focus();
    };
    form.onsubmit = (event) => {
      event.preventDefault();
      give(message(), { value: "down", ...Object.fromEntries(new FormData(form)) }, "Thank you.");
      form.reset();
    };
    thumb.parentElement.after(form);
  }

  /** `message` gives the answer as it is at the moment. */
  return function press(thumb, message) {
    const { value } = thumb.dataset;
    const again = message().feedback?.value === value;
    $(".feedback", thumb.closest("[data-key]"))?.remove();
    if (value === "down" && !again) ask(thumb, message);
    give(message(), again ? null : { value }, again ? "Feedback removed." : "Thank you.");
  };
}
