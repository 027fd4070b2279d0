// A document beside the message: chosen, dropped or pasted, shown as a chip, and sent with the question.
// Text that is too long for a message is sent in the same way.

import { api } from "../net/api.js";
import { newId } from "../net/ids.js";
import { FILE_OFFLINE, fileTooLarge } from "../text/error-messages.js";
import { fileSize } from "../text/formats.js";
import { $, fill } from "./dom.js";

const MAX_BYTES = 20 * 1024 ** 2; // the server's limit, checked before the upload

/**
 * Create the attachments.
 * view(): the open conversation; restore(text): puts text back into the composer; onAudio(file): a sound
 * file was chosen; onSent(answer, isHere): `isHere` if its conversation is still open.
 */
export function createAttachments(options) {
  const chip = $("#attachment");
  // attachment: {name, about, request(fields): {path, body}, requestId, trouble?, tooLarge?, isText?}
  const state = { ...options, chip, bar: $("progress", chip), attachment: null, upload: null };
  connectButtons(state);
  connectDropAndPaste(state);
  return {
    send: (question) => send(state, question),
    /** True if what is written now is a question about a document. */
    get isReady() {
      return Boolean(state.attachment) && !state.upload;
    },
    sendText(text) {
      const request = ({ companion, ...fields }) => ({
        path: `/api/${companion}`,
        body: JSON.stringify({ ...fields, message: text }),
      });
      attach(state, { name: "Your message", requestId: newId(), request, isText: true });
      send(state, text);
    },
  };
}

function attach(state, attachment, about = attachment?.about) {
  const { chip, bar } = state;
  state.attachment = attachment;
  chip.hidden = !attachment;
  bar.hidden = !state.upload;
  fill(chip, { name: attachment?.name ?? "", about: about ?? "", trouble: attachment?.trouble ?? "" });
  state.onChange();
}

function take(state, file) {
  if (!file || state.upload) return;
  if (file.type.startsWith("audio/") && state.onAudio) return void state.onAudio(file);
  const tooLarge = file.size > MAX_BYTES;
  const trouble = tooLarge ? fileTooLarge(fileSize(MAX_BYTES)) : "";
  attach(state, {
    name: file.name,
    about: fileSize(file.size),
    requestId: newId(),
    request: (fields) => ({ path: "/api/analysis", body: formData({ ...fields, file }) }),
    tooLarge,
    trouble,
  });
  state.say(trouble || `${file.name} is attached. Write a question about it, or send it without one.`);
}

/** Send the attachment, with a question or without; the question comes back if it cannot be sent. */
async function send(state, question) {
  const { attachment } = state;
  const { companion, threadId, draft } = state.view();
  if (attachment.tooLarge) return state.restore(question);
  const { path, body } = attachment.request({ companion, threadId, requestId: attachment.requestId, question });
  state.upload = api.upload(path, body, (share) => {
    state.bar.value = share;
    if (share === 1) attach(state, state.attachment, "Reading it…");
  });
  attach(state, { ...attachment, trouble: "" }, "Sending…");
  state.say(`Sending ${attachment.name}.`);
  try {
    const answer = await state.upload.answer;
    const now = state.view();
    state.upload = null;
    attach(state, null);
    state.onSent(answer, threadId ? now.threadId === threadId : now.draft === draft);
  } catch (error) {
    failed(state, error, question);
  }
}

function failed(state, error, question) {
  const { aborted } = state.upload;
  const trouble = error.status ? error.message : FILE_OFFLINE;
  state.upload = null;
  attach(state, aborted || state.attachment.isText ? null : { ...state.attachment, trouble });
  state.restore(question);
  if (!aborted) (state.attachment ? state.say : state.notice.tell)(`Not sent. ${trouble}`);
}

function connectButtons(state) {
  const picker = $("#file");
  $("#attach").addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => {
    take(state, picker.files[0]);
    picker.value = "";
    $("#message").focus();
  });
  $("button", state.chip).addEventListener("click", () => {
    if (state.upload) state.upload.abort();
    else attach(state, null);
    state.say("Removed.");
    $("#message").focus();
  });
}

function connectDropAndPaste(state) {
  $("#message").addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    take(state, event.clipboardData.files[0]);
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      $("#app").toggleAttribute("data-dropping", name === "dragover");
      if (name === "drop") take(state, event.dataTransfer.files[0]);
    });
  }
}

/** Return a form with the fields that have a value. */
export function formData(fields) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) data.append(name, value);
  return data;
}
