// Thumbs below an answer: kept at once; a thumb down may say why.

import { api } from "./api.js";
import { $, clone } from "./dom.js";

const thumb = (element, value) => $(`.thumb[data-value=${value}]`, element);

export function drawFeedback(element, { feedback }) {
  for (const value of ["up", "down"]) thumb(element, value).setAttribute("aria-pressed", feedback?.value === value);
}

export function createFeedback({ store, notice, say }) {
  const show = (key, feedback) => store.dispatch({ type: "message/feedback", key, feedback });

  async function give({ key, id, feedback: before }, feedback, thanks) {
    show(key, feedback);
    try {
      await (feedback ? api.rate(id, feedback) : api.unrate(id));
      say(thanks);
    } catch (error) {
      show(key, before);
      notice.tell(`Your feedback was not saved. ${error.message}`);
    }
  }

  /** Asks why, in a form below the thumbs. */
  function ask(element, messageOf) {
    const form = clone("feedback");
    const close = () => {
      form.remove();
      thumb(element, "down").focus();
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      give(messageOf(form), { value: "down", ...Object.fromEntries(new FormData(form)) }, "Thank you.");
      close();
    });
    form.addEventListener("reset", close);
    $(".message__tools", element).after(form);
  }

  return {
    press(target, messageOf) {
      const message = messageOf(target);
      const element = target.closest("[data-key]");
      const { value } = target.dataset;
      const again = message.feedback?.value === value;
      $(".feedback", element)?.remove();
      if (value === "down" && !again) ask(element, messageOf);
      const thanks = again ? "Feedback removed." : value === "up" ? "Thank you." : "Thank you. You can say why below.";
      give(message, again ? null : { value }, thanks);
    },
  };
}
