// A document beside the message: chosen, dropped or pasted, shown as a chip, and sent with the question.
// Text that is too long for a message is sent in the same way. Each conversation has its own document, kept on
// this device with the draft.

import { drafts, keyOf } from "../device/drafts.js";
import { api } from "../net/api.js";
import { newId } from "../net/ids.js";
import { FILE_GONE, FILE_OFFLINE, fileTooLarge } from "../text/error-messages.js";
import { fileSize } from "../text/formats.js";
import { $, fill } from "./dom.js";

const MAX_BYTES = 20 * 1024 ** 2; // the server's limit, checked before the upload

const files = () => import("../device/files.js").then((module) => module.files);

/**
 * Create the attachments.
 * view(): the open conversation; drafting: see draft-keeper.js; onAudio(file): a sound file was chosen;
 * onSent(answer, isHere): `isHere` if its conversation is still open.
 */
export function createAttachments(options) {
  const chip = $("#attachment");
  // held: place -> {place, name, about, request(fields): {path, body}, requestId, file?, trouble?, isStuck?, isKept?, upload?}
  const state = { ...options, chip, bar: $("progress", chip), held: new Map(), place: null };
  connectButtons(state);
  connectDropAndPaste(state);
  return {
    send: (question) => send(state, question),
    /** True if what is written now is a question about a document. */
    get isReady() {
      const held = state.held.get(state.place);
      return Boolean(held) && !held.upload;
    },
    sendText(text) {
      const request = ({ companion, ...fields }) => ({
        path: `/api/${companion}`,
        body: JSON.stringify({ ...fields, message: text }),
      });
      hold(state, state.place, { name: "Your message", requestId: newId(), request, isText: true });
      send(state, text);
    },
    /** Show the document of another draft. */
    show(place) {
      state.place = place;
      const { held } = state;
      const { file } = drafts.read(place);
      const { name, isKept, upload } = held.get(place) ?? {};
      if (isKept && file !== name && !upload) held.delete(place); // another tab has changed it
      if (file && !held.has(place)) load(state, place);
      draw(state);
    },
    /** Follow a conversation that has another place from now on. */
    move(from, to) {
      const attachment = state.held.get(from);
      if (!attachment) return;
      state.held.delete(from);
      state.held.set(to, Object.assign(attachment, { place: to }));
      const { file } = drafts.read(from);
      drafts.change(from, { file: "" });
      drafts.change(to, { file });
      if (file) files().then((kept) => kept.move(keyOf(from), keyOf(to)));
    },
  };
}

/** Hold `attachment` for the draft of `place`; null lets it go. */
function hold(state, place, attachment) {
  if (attachment) state.held.set(place, { ...attachment, place });
  else state.held.delete(place);
  if (place === state.place) draw(state);
}

/** Let the document go, here and on the device. */
function drop(state, place) {
  const attachment = state.held.get(place);
  if (attachment) attachment.isDropped = true;
  hold(state, place, null);
  if (!drafts.read(place).file) return;
  drafts.change(place, { file: "" });
  files().then(({ remove }) => remove(keyOf(place)));
}

function draw({ chip, bar, held, place, onChange }) {
  const attachment = held.get(place);
  chip.hidden = !attachment;
  bar.hidden = !attachment?.upload;
  bar.value = attachment?.share ?? 0;
  const { name = "", progress, about = "", trouble = "" } = attachment ?? {};
  fill(chip, { name, about: progress ?? about, trouble });
  onChange();
}

const ofFile = (file, requestId) => ({
  name: file.name,
  about: fileSize(file.size),
  file,
  requestId,
  request: (fields) => ({ path: "/api/analysis", body: formData({ ...fields, file }) }),
});

async function load(state, place) {
  const { file: name } = drafts.read(place);
  const kept = await files().then(
    ({ get }) => get(keyOf(place)),
    () => null,
  );
  if (state.held.has(place) || drafts.read(place).file !== name) return;
  const gone = { name, isStuck: true, trouble: FILE_GONE };
  const found = kept && ofFile(new File([kept.file], name, { type: kept.file.type }), kept.requestId);
  hold(state, place, found ? { ...found, isKept: true } : gone);
}

function take(state, file) {
  const { place, held } = state;
  if (!file || held.get(place)?.upload) return;
  if (file.type.startsWith("audio/") && state.onAudio) return void state.onAudio(file);
  const isStuck = file.size > MAX_BYTES;
  const trouble = isStuck ? fileTooLarge(fileSize(MAX_BYTES)) : "";
  drop(state, place);
  hold(state, place, { ...ofFile(file, newId()), isStuck, trouble });
  if (!isStuck) keep(held.get(place));
  state.say(trouble || `${file.name} is attached. Write a question about it, or send it without one.`);
}

/** Keep the file on the device, and note it in its draft: also where there is no room, to say so after a reload. */
async function keep(attachment) {
  const { place, file, requestId } = attachment;
  const kept = await files();
  await kept.put(keyOf(place), { file, requestId });
  if (attachment.isDropped) return kept.remove(keyOf(place));
  attachment.isKept = true;
  return drafts.change(attachment.place, { file: file.name });
}

/** Send the attachment, with a question or without; the question comes back if it cannot be sent. */
async function send(state, question) {
  const { place } = state;
  const attachment = state.held.get(place);
  if (attachment.isStuck) return void state.drafting.give(place, question);
  Object.assign(attachment, { trouble: "", progress: "Sending…", share: 0 });
  const { companion, threadId } = state.view();
  drafts.send(place, question);
  const { path, body } = attachment.request({ companion, threadId, requestId: attachment.requestId, question });
  attachment.upload = api.upload(path, body, (share) => {
    attachment.share = share;
    if (share === 1) attachment.progress = "Reading it…";
    if (attachment.place === state.place) draw(state);
  });
  draw(state);
  state.say(`Sending ${attachment.name}.`);
  try {
    sent(state, attachment, await attachment.upload.answer);
  } catch (error) {
    failed(state, attachment, error);
  }
}

function sent(state, { place }, answer) {
  const isHere = place === state.place;
  drafts.sent(place);
  drop(state, place);
  if (isHere && place !== answer.threadId) state.drafting.move(place, answer.threadId); // and what was written meanwhile
  state.onSent(answer, isHere);
}

function failed(state, attachment, error) {
  const { upload, isText, place } = attachment;
  const trouble = error.status ? error.message : FILE_OFFLINE;
  const { sending } = drafts.read(place);
  drafts.sent(place);
  if (upload.aborted || isText) drop(state, place);
  else Object.assign(attachment, { upload: null, progress: null, trouble });
  draw(state);
  state.drafting.give(place, sending);
  if (!upload.aborted) (isText ? state.notice.tell : state.say)(`Not sent. ${trouble}`);
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
    const { upload } = state.held.get(state.place) ?? {};
    if (upload) upload.abort();
    else drop(state, state.place);
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
