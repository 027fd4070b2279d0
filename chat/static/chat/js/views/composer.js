// The message field. Enter sends, Shift+Enter starts a new line; on touch keyboards, which have no useful
// Shift, Enter starts a new line and the button sends.

import { codePoints } from "../state/text-assembly.js";
import { MAX_TEXT } from "../text/error-messages.js";
import { isBlank } from "../text/formats.js";
import { $ } from "./dom.js";

const touchOnly = matchMedia("(hover: none) and (pointer: coarse)");

/** Return whether Enter sends. isComposing: it ends a word of an input method. */
export const isSendKey = (event) =>
  event.key === "Enter" && !event.shiftKey && !event.isComposing && !touchOnly.matches;

/** Make a text field as high as its text. */
export function fitHeight(field) {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

/** Create the composer. onTooLong(text): the text is too long for a message. */
export function createComposer({ onSend, onStop, onTooLong, mayBeEmpty }) {
  const composer = { field: $("#message"), send: $("#send"), stop: $("#stop"), onSend, onTooLong, mayBeEmpty };
  const { field, stop } = composer;
  const form = $("#composer");
  field.addEventListener("input", () => fit(composer));
  field.addEventListener("keydown", (event) => {
    if (!isSendKey(event)) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(composer);
  });
  stop.addEventListener("click", () => {
    onStop();
    field.focus();
  });
  return {
    focus: () => field.focus(),
    fit: () => fit(composer),
    /** Put text back, for example of a deleted message, and keep what is being written. */
    restore(text) {
      field.value = [text, field.value].filter(Boolean).join("\n");
      fit(composer);
      field.focus();
    },
    draw({ name, canStop, disabled }) {
      field.placeholder = mayBeEmpty() ? "Ask about it, or send" : name ? `Message ${name}` : "Write a message";
      field.disabled = disabled;
      stop.hidden = !canStop;
    },
  };
}

function fit({ field, send, mayBeEmpty }) {
  fitHeight(field);
  send.ariaDisabled = isBlank(field.value) && !mayBeEmpty();
}

function submit(composer) {
  const { field, onSend, onTooLong, mayBeEmpty } = composer;
  const text = isBlank(field.value) ? "" : field.value.trim();
  if (!text && !mayBeEmpty()) return field.focus();
  field.value = "";
  fit(composer);
  // Not maxlength: it would cut pasted text without a message.
  return codePoints(text) > MAX_TEXT ? onTooLong(text) : onSend(text);
}
