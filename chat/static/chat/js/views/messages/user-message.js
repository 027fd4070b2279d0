// The visitor's own message: its attachment, its tools, and the editor while it is changed.

import { drafts, editPlace } from "../../device/drafts.js";
import { onSendKey } from "../../keys.js";
import { messageError } from "../../text/error-messages.js";
import { attachmentText } from "../../text/wording.js";
import { fitHeight } from "../composer.js";
import { $, clone, setText } from "../dom.js";

// Other lines, or another size of the text.
addEventListener("resize", () => document.querySelectorAll(".editor textarea").forEach(fitHeight));

/** Draw `message`; `waits` if its answer has not started, so that it can still be changed in place. */
export function drawUserMessage(element, message, { waits, onEdit, onClose }) {
  const { attachment, edit } = message;
  const chip = $(".attachment", element);
  chip.hidden = !attachment;
  if (attachment) setText($("span", chip), attachmentText(attachment));
  drawTools($(".mine__tools", element), message, waits);
  $(".message__text", element).hidden = Boolean(edit);

  let form = $(".editor", element);
  if (edit && !form) form = openEditor(element, message, { onEdit, onClose });
  else if (!edit && form) closeEditor(element, form);
  if (edit) drawEditor(form, edit, waits);
}

function drawTools(tools, { status, id, text, attachment, edit }, waits) {
  // A document is not kept after it was read: the question about it can be changed only before.
  const canEdit = Boolean(id) && (waits || attachment?.kind !== "document");
  tools.hidden = status !== "sent" || Boolean(edit);
  $("[data-do=copy-mine]", tools).hidden = !text;
  $("[data-do=edit]", tools).hidden = !canEdit;
  tools.toggleAttribute("data-waits", waits);
  $("[data-do=delete-message]", tools).hidden = !waits;
}

function openEditor(element, message, handlers) {
  const { key, id, text } = message;
  const form = clone("editor");
  const field = $("textarea", form);
  const note = $(".editor__note", form);
  note.id = `note-${key}`;
  field.setAttribute("aria-describedby", note.id);
  field.defaultValue = text; // so that it is known whether it was changed
  field.value = drafts.read(editPlace(id)).text || text;
  field.addEventListener("input", () =>
    drafts.change(editPlace(id), { text: field.value === text ? "" : field.value }),
  );
  connectEditor(form, field, message, handlers);
  $(".mine__tools", element).before(form);
  fitHeight(field);
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
  if (field.value !== text) drafts.change(editPlace(id), { text: field.value }); // it is open again, also after a reload
  return form;
}

function connectEditor(form, field, message, { onEdit, onClose }) {
  field.addEventListener("input", () => fitHeight(field));
  onSendKey(field, () => form.requestSubmit());
  form.addEventListener("dismiss", () => onClose(message));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!field.readOnly) onEdit(message.key, field.value.trim());
  });
}

function closeEditor(element, form) {
  const hadFocus = form.contains(document.activeElement);
  form.remove();
  if (hadFocus) $("[data-do=edit]", element).focus();
}

function drawEditor(form, { status, refusal }, waits) {
  const isSaving = status === "saving";
  const submit = $("[type=submit]", form);
  $("textarea", form).readOnly = isSaving;
  submit.ariaDisabled = isSaving;
  setText(submit, waits ? "Save" : "Send again");
  const hint = waits
    ? "It keeps its place in line."
    : "It is asked again. What was said before is kept as another version.";
  setText($(".editor__note", form), isSaving ? "Saving…" : refusal ? messageError(refusal) : hint);
  form.dataset.tone = refusal && !isSaving ? "warn" : "";
}
