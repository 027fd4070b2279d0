// A document beside the message: shown as a chip, and sent with the question. Text that is too long for a message is
// sent in the same way. Each conversation has its own document, kept on this device with the draft. Loaded with the
// first of them; see file-intake.js.

import { drafts, keyOf } from "../device/drafts.js";
import { FIELDS } from "../keys.js";
import { api } from "../net/api.js";
import { formData } from "../net/form-data.js";
import { newId } from "../net/ids.js";
import { lostFile } from "../net/lost-file.js";
import { FILE_OFFLINE } from "../text/error-messages.js";
import { FILES } from "../text/file-wording.js";
import { fileSize } from "../text/formats.js";
import { $, fill, write } from "./dom.js";
import { whyNot } from "./file-kinds.js";

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
  $("button", chip).addEventListener("click", () => {
    const { upload } = state.held.get(state.place) ?? {};
    if (upload) upload.abort();
    else drop(state, state.place);
    state.say("Removed.");
    $("#message").focus();
  });
  return {
    take: (items) => take(state, items),
    paste: (pasted) => paste(state, pasted),
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
    holds: (place) => state.held.has(place),
    /** Let go the document of a draft that was deleted, also on its way; without a place, of all. */
    forget(place) {
      for (const each of place ? [place] : [...state.held.keys()]) forget(state, each);
    },
    /** Follow a conversation that has another place from now on. */
    move(from, to) {
      const attachment = state.held.get(from);
      if (!attachment) return moveKept(from, to);
      state.held.delete(from);
      state.held.set(to, Object.assign(attachment, { place: to, isKept: false }));
      drafts.change(from, { file: "" });
      files().then(({ remove }) => remove(keyOf(from)));
      if (attachment.file && !attachment.isStuck) keep(attachment); // a tab that has deleted `from` has not kept it
      if (to === state.place) draw(state);
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

/** Move a document that was not loaded yet. */
function moveKept(from, to) {
  const { file } = drafts.read(from);
  if (!file) return;
  drafts.change(from, { file: "" });
  files()
    .then((kept) => kept.move(keyOf(from), keyOf(to)))
    .then(() => drafts.change(to, { file }));
}

function forget(state, place) {
  const { upload } = state.held.get(place) ?? {};
  drop(state, place);
  upload?.abort();
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
  const gone = { name, isStuck: true, trouble: FILES.gone };
  const found = kept && ofFile(new File([kept.file], name, { type: kept.file.type }), kept.requestId);
  hold(state, place, found ? { ...found, isKept: true } : gone);
}

/** Take what was pasted: {items, text, target}. Text comes first: with the cells of a spreadsheet comes their picture. */
function paste(state, { items, text, hasHtml, target }) {
  const isField = Boolean(target.closest(FIELDS));
  // File managers put the names or paths of files beside them.
  const isName = (line) => items.some(({ name }) => name && line.trim().endsWith(name));
  const isText = text.trim() && (!items.length || hasHtml || !text.trim().split("\n").every(isName));
  if (isText && !isField && $("#message").disabled) return explain(state, FILES.closed);
  if (isText) write(text, isField ? target : $("#message"));
  if (isText && items.length) explain(state, FILES.picture);
  else if (!isText && isField && target.id !== "message") explain(state, FILES.elsewhere);
  else if (!isText) take(state, items);
}

/** Take the first of the files that can be read, and say which were left, and why. items: [{name, file, isFolder}] */
function take(state, items) {
  if (!items.length) return;
  const held = state.held.get(state.place);
  if (held?.upload) return explain(state, FILES.busy(held.name));
  if ($("#message").disabled) return explain(state, FILES.closed);
  const all = items.map((item) => ({ ...item, why: whyNot(item, state) }));
  const taken = all.find(({ why }) => !why);
  const said = taken ? takeFile(state, taken.file) : "";
  const left = all.filter((item) => item !== taken);
  if (left.length) explain(state, FILES.left(left, said), said);
}

/** Attach a file; return what was said about it. */
function takeFile(state, file) {
  if (file.type.startsWith("audio/")) return void state.onAudio(file);
  const { place, held } = state;
  const before = held.get(place)?.name;
  const isStuck = file.size > MAX_BYTES;
  const trouble = isStuck ? FILES.tooLarge(fileSize(MAX_BYTES)) : "";
  drop(state, place);
  hold(state, place, { ...ofFile(file, newId()), isStuck, trouble });
  if (!isStuck) keep(held.get(place));
  const said = trouble || FILES.attached(file.name, before);
  state.say(said);
  return said;
}

/** Say and show a sentence about files, after what was said before. */
function explain(state, text, said = "") {
  state.notice.tell(text);
  if (said) state.say(`${said} ${text}`);
}

/** Keep the file on the device, and note it in its draft: also where there is no room, to say so after a reload. */
async function keep(attachment) {
  const { place, file, requestId } = attachment;
  const kept = await files();
  await kept.put(keyOf(place), { file, requestId });
  if (attachment.isDropped || attachment.place !== place) return kept.remove(keyOf(place));
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
  Object.assign(attachment, { threadId, question });
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
    await failed(state, attachment, error);
  }
}

function sent(state, { place, question }, answer) {
  const isHere = place === state.place;
  drafts.sent(place, question);
  drop(state, place);
  if (isHere && place !== answer.threadId)
    state.drafting.move(place, answer.threadId); // and what was written meanwhile
  else state.drafting.refresh(place);
  state.onSent(answer, isHere);
}

async function failed(state, attachment, error) {
  const { upload, isText, file, threadId, question } = attachment;
  const isGone = error.status === 404 && Boolean(threadId);
  const trouble = isGone ? FILES.deleted : error.status ? error.message : ((await lostFile(file)) ?? FILE_OFFLINE);
  if (attachment.isDropped) return; // with its conversation
  const { place } = attachment; // its conversation may have got an id meanwhile
  drafts.sent(place);
  if (upload.aborted || isText) drop(state, place);
  else Object.assign(attachment, { upload: null, progress: null, trouble });
  draw(state);
  if (!drafts.read(place).text.includes(question)) state.drafting.give(place, question); // another tab has it back
  if (!upload.aborted) (isText ? state.notice.tell : state.say)(`Not sent. ${trouble}`);
  if (isGone) state.session.threadMissing(threadId);
}
