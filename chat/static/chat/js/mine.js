// What one can do with one's own message: change it, take it back, or ask it again with other words.

import { $, clone, setText } from "./dom.js";
import { refusalSentence } from "./refusals.js";
import { attachmentWords } from "./words.js";

const touchOnly = matchMedia("(hover: none) and (pointer: coarse)");

/** Draws the tools and, while it is being changed, the editor of one's own message. */
export function drawMine(element, message, { waits, onEdit, onClose }) {
  const tools = $(".mine__tools", element);
  const { attachment } = message;
  const chip = $(".attachment", element);
  chip.hidden = !attachment;
  if (attachment) setText($("span", chip), attachmentWords(attachment));
  // A document that was read is not kept: what is asked about it can be changed only before.
  const canChange = message.status === "sent" && Boolean(message.id) && (waits || attachment?.kind !== "document");
  tools.hidden = !canChange || Boolean(message.edit);
  tools.toggleAttribute("data-waits", waits);
  $("[data-do=withdraw]", tools).hidden = !waits;
  $(".message__text", element).hidden = Boolean(message.edit);

  let form = $(".editor", element);
  if (message.edit && !form) form = openEditor(element, message, { onEdit, onClose });
  else if (!message.edit && form) closeEditor(element, form);
  if (message.edit) drawEditor(form, message.edit, waits);
}

function openEditor(element, message, { onEdit, onClose }) {
  const form = clone("editor");
  const field = $("textarea", form);
  const fit = () => {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  };
  const note = $(".editor__note", form);
  note.id = `note-${message.key}`;
  field.setAttribute("aria-describedby", note.id);
  field.value = message.text;
  field.addEventListener("input", fit);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault(); // it closes this editor, and stops no answer
      onClose(message.key);
    } else if (event.target === field && event.key === "Enter" && !event.shiftKey && !event.isComposing && !touchOnly.matches) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!field.readOnly) onEdit(message.key, field.value.trim());
  });
  $(".mine__tools", element).before(form);
  fit();
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
  return form;
}

function closeEditor(element, form) {
  const hadFocus = form.contains(document.activeElement);
  form.remove();
  if (hadFocus) $("[data-do=edit]", element).focus();
}

function drawEditor(form, { status, refusal }, waits) {
  const saving = status === "saving";
  $("textarea", form).readOnly = saving;
  $("[type=submit]", form).setAttribute("aria-disabled", saving);
  setText($("[type=submit]", form), waits ? "Save" : "Send again");
  const advice = waits ? "It keeps its place in line." : "Sending it again replaces everything from here on.";
  setText($(".editor__note", form), saving ? "Saving…" : refusal ? refusalSentence(refusal) : advice);
  form.dataset.tone = refusal && !saving ? "warn" : "";
}
