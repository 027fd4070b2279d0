// The message field. Enter sends, Shift+Enter starts a new line; on touch keyboards, which have no useful
// Shift, Enter starts a new line and the button sends.

import { codePoints, wellFormed } from "../state/text-assembly.js";
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

/** Put `text` into the field between `start` and `end`, so that Undo takes it out again. */
function insert(field, text, start, end = start) {
  const active = document.activeElement;
  // A text that arrives while the visitor writes elsewhere, for example in an editor, must not take the focus.
  if (active === field || !active?.matches("input, textarea")) {
    field.focus();
    field.setSelectionRange(start, end);
    if (document.execCommand("insertText", false, text)) return; // nothing else keeps the history of changes
  }
  field.setRangeText(text, start, end, "end");
  field.dispatchEvent(new Event("input"));
}

/**
 * Create the composer. onWrite(text): the text has changed; onTooLong(text): the text is too long for a message.
 */
export function createComposer({ onSend, onStop, onWrite, onTooLong, mayBeEmpty }) {
  const composer = { field: $("#message"), send: $("#send"), stop: $("#stop"), onSend, onTooLong, mayBeEmpty };
  const { field, stop } = composer;
  const form = $("#composer");
  field.addEventListener("input", () => {
    fit(composer);
    onWrite(field.value);
  });
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
    /** Show another draft. */
    show(text) {
      if (field.value === text) return;
      field.value = text;
      fit(composer);
    },
    /** Put text back, for example of a deleted message, before what is being written. */
    restore: (text) => insert(field, field.value ? `${text}\n` : text, 0),
    /** Put text in where the cursor is. */
    insert(text) {
      const { value, selectionEnd: at } = field;
      const gap = (index) => (/\S/.test(value[index] ?? "") ? " " : "");
      insert(field, gap(at - 1) + text + gap(at), at);
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
  const text = isBlank(field.value) ? "" : wellFormed(field.value).trim();
  if (!text && !mayBeEmpty()) return field.focus();
  field.value = "";
  field.dispatchEvent(new Event("input"));
  // Not maxlength: it would cut pasted text without a message.
  return codePoints(text) > MAX_TEXT ? onTooLong(text) : onSend(text);
}
