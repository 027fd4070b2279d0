// Where one writes. Enter sends, Shift+Enter breaks the line; on touch keyboards, which have no Shift
// worth the name, Enter breaks the line and the button sends.

import { $ } from "./dom.js";
import { MAX_TEXT } from "./refusals.js";
import { codePoints } from "./stream.js";

const touchOnly = matchMedia("(hover: none) and (pointer: coarse)");

export function composer({ onSend, onStop, onTooLong, mayBeEmpty = () => false }) {
  const form = $("#composer");
  const field = $("#message");
  const send = $("#send");
  const stop = $("#stop");

  function fit() {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
    send.setAttribute("aria-disabled", !field.value.trim() && !mayBeEmpty());
  }

  field.addEventListener("input", fit);
  field.addEventListener("keydown", (event) => {
    // isComposing: Enter ends a word of an input method, and is not meant for us.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || touchOnly.matches) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text && !mayBeEmpty()) return field.focus();
    field.value = "";
    fit();
    // Not maxlength: it would cut what is pasted, and nobody would see where.
    return codePoints(text) > MAX_TEXT ? onTooLong(text) : onSend(text);
  });
  stop.addEventListener("click", () => {
    onStop();
    field.focus();
  });

  return {
    focus: () => field.focus(),
    fit,
    /** Puts text back, for example of a discarded message, without losing what is being written. */
    restore(text) {
      field.value = [text, field.value].filter(Boolean).join("\n");
      fit();
      field.focus();
    },
    draw({ name, canStop, disabled }) {
      const what = mayBeEmpty() ? "Ask about it, or send" : name ? `Message ${name}` : "Write a message";
      field.placeholder = what;
      field.disabled = disabled;
      stop.hidden = !canStop;
    },
  };
}
