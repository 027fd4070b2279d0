// The message field. It can be written in while its conversation is loaded; what is sent then goes out after that.

import { focusToWrite, onSendKey } from "../keys.js";
import { codePoints, wellFormed } from "../state/text-assembly.js";
import { MAX_TEXT } from "../text/error-messages.js";
import { isBlank } from "../text/formats.js";
import { $ } from "./dom.js";

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
 * Create the composer. onWrite(text): the text has changed; onTooLong(text): the text is too long for a message;
 * loading(): the id of the conversation that is being loaded, or null.
 */
export function createComposer({ onStop, onWrite, ...options }) {
  const composer = { ...options, field: $("#message"), send: $("#send"), stop: $("#stop"), waitsFor: null };
  const { loading, mayBeEmpty } = options;
  const { field, stop } = composer;
  const form = $("#composer");
  field.addEventListener("input", () => {
    fit(composer);
    onWrite(field.value);
  });
  addEventListener("resize", () => fit(composer)); // other lines, or another size of the text
  onSendKey(field, () => form.requestSubmit());
  composer.send.addEventListener("mousedown", (event) => event.preventDefault()); // the keyboard of a phone stays
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(composer);
  });
  stop.addEventListener("click", () => {
    onStop();
    field.focus();
  });
  return {
    /** Focus the field, on touch screens only if it is in use. */
    focus: () => focusToWrite(field, $("#content")),
    /** Focus the field because the visitor wants to write. */
    write: () => field.focus(),
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
    draw({ name, canStop, disabled, threadId }) {
      field.placeholder = mayBeEmpty() ? "Ask about it, or send" : name ? `Message ${name}` : "Write a message";
      field.disabled = disabled;
      stop.hidden = !canStop;
      const { waitsFor } = composer;
      if (!waitsFor || waitsFor === loading()) return;
      composer.waitsFor = null;
      if (!disabled && waitsFor === threadId) submit(composer);
    },
  };
}

function fit({ field, send, mayBeEmpty }) {
  fitHeight(field);
  send.ariaDisabled = isBlank(field.value) && !mayBeEmpty();
}

function submit(composer) {
  const { field, onSend, onTooLong, mayBeEmpty, loading } = composer;
  const text = isBlank(field.value) ? "" : wellFormed(field.value).trim();
  if (!text && !mayBeEmpty()) return field.focus();
  composer.waitsFor = loading();
  if (composer.waitsFor) return null;
  field.value = "";
  field.dispatchEvent(new Event("input"));
  // Not maxlength: it would cut pasted text without a message.
  return codePoints(text) > MAX_TEXT ? onTooLong(text) : onSend(text);
}
