// What was written and not yet sent: one draft per conversation. It stays on this device until it is sent or
// cleared, belongs to one owner, and is the same in all tabs. Its file and its recording are in files.js.

import { owner } from "../net/owner.js";
import { device } from "./storage.js";

const PREFIX = "buddy.draft ";
const KEPT = 7 * 24 * 3600_000; // ms for which the drafts of other owners stay
const EMPTY = { text: "", sending: "", file: "", recording: false };

/** Return the name of the open conversation's draft. A new one has a draft for each companion. */
export const placeOf = ({ kind, threadId, draft, companion }) =>
  threadId ?? (kind === "thread" ? draft : newPlace(companion));
export const newPlace = (companion) => `new-${companion}`;
/** The place of the new text of a message that is being changed. */
export const editPlace = (messageId) => `edit-${messageId}`;
/** The place of a comment on an answer. */
export const commentPlace = (messageId) => editPlace(`comment-${messageId}`);
/** The place of the new title of a conversation. */
export const titlePlace = (threadId) => editPlace(`title-${threadId}`);

/** Return the key under which a draft of `of` is kept, here and in files.js. */
export const keyOf = (place, of = owner.me) => `${PREFIX}${of} ${place}`;

export const recordingKey = (place, of = owner.me) => `${keyOf(place, of)} voice`;

/** Return the draft that is stored, or null: {text, sending, file, recording, at, closed}. */
function stored(key) {
  const draft = device.read(key);
  return typeof draft?.text === "string" ? { ...EMPTY, ...draft } : null;
}

const sendingHere = new Set(); // places from which this page sends something

const readOf = (place, of) => (of ? stored(keyOf(place, of)) : null);
const read = (place) => readOf(place, owner.me) ?? readOf(place, owner.before) ?? EMPTY;

function change(place, fields) {
  const draft = { ...read(place), gone: false, closed: false, ...fields, at: Date.now() };
  const isEmpty = !draft.gone && Object.keys(EMPTY).every((name) => !draft[name]);
  device.set(keyOf(place), isEmpty ? null : JSON.stringify(draft));
  if (owner.before) device.set(keyOf(place, owner.before), null); // what was written before signing in came along
}

const join = (...texts) => texts.filter(Boolean).join("\n");

/** Forget the drafts that other owners left long ago, and changes of messages that are perhaps gone. */
function sweep() {
  for (const key of device.keys()) {
    if (!key.startsWith(PREFIX)) continue;
    const of = key.split(" ")[1];
    const isMine = of === owner.me || of === owner.before;
    const isNeeded = isMine && !key.startsWith(keyOf(editPlace(""))) && !stored(key)?.gone;
    if (!isNeeded && !(Date.now() - stored(key)?.at < KEPT)) device.set(key, null);
  }
}
sweep();

export const drafts = {
  read,
  change,
  add: (place, text) => change(place, { text: join(read(place).text, text) }),
  /** Keep `text` until it has arrived: then, or when it comes back, call `sent`. */
  send(place, text) {
    sendingHere.add(place);
    change(place, { sending: text });
  },
  /** `arrived`: the text, if it has arrived. A tab that was opened meanwhile may have taken it back. */
  sent(place, arrived = "") {
    sendingHere.delete(place);
    const { sending, text } = read(place);
    const isTakenBack = arrived && !sending && text.startsWith(arrived);
    change(place, { sending: "", text: isTakenBack ? text.slice(arrived.length).trimStart() : text });
  },
  /** Take back what was on its way when the page was left. */
  reclaim(place) {
    const { sending, text } = read(place);
    if (sending && !sendingHere.has(place)) change(place, { sending: "", text: join(sending, text) });
  },
  /** Move a draft to another place, for example to the id that its conversation got. */
  move(from, to) {
    const { text, sending } = read(from);
    if (sendingHere.delete(from)) sendingHere.add(to);
    if (!text && !sending) return;
    change(from, { text: "", sending: "" });
    change(to, { text: join(read(to).text, text), sending: join(read(to).sending, sending) });
  },
  /** Forget the draft of a conversation that was deleted. Another tab that shows it takes it elsewhere. */
  async forget(place) {
    const { file, recording } = read(place);
    change(place, { ...EMPTY, gone: true });
    if (!file && !recording) return;
    const { files } = await import("./files.js");
    await files.remove(keyOf(place));
    await files.remove(recordingKey(place));
  },
  /** Return the ids of the messages whose change has begun, in forms that were not closed. */
  edited() {
    const start = keyOf(editPlace(""));
    const open = device.keys().filter((key) => key.startsWith(start) && !stored(key)?.closed);
    return new Set(open.map((key) => key.slice(start.length)));
  },
  /** Keep what is written in a form that is closed, for when it is opened again. Return whether there is something. */
  close(place) {
    const hasText = Boolean(read(place).text);
    if (hasText) change(place, { closed: true });
    return hasText;
  },
  /** Forget all: the owner has erased everything. */
  async erase() {
    for (const key of device.keys()) if (key.startsWith(keyOf(""))) device.set(key, null);
    const { files } = await import("./files.js");
    await files.removeAll(keyOf(""));
  },
  isEmpty: (place) => Object.keys(EMPTY).every((name) => !read(place)[name]),
  isKept: (place) => device.isKept(keyOf(place)),
  /** Take the draft of another owner, whose page this tab was; return it. */
  takeOver(of, from, to) {
    const left = stored(keyOf(from, of)) ?? EMPTY;
    const { text, file, recording } = read(to);
    device.set(keyOf(from, of), null);
    change(to, {
      text: join(text, left.sending, left.text),
      file: left.file || file,
      recording: left.recording || recording,
    });
    return left;
  },
  /** Call onChange(place) when another tab has changed a draft. */
  watch(onChange) {
    window.addEventListener("storage", ({ key }) => {
      if (key?.startsWith(keyOf("")) && !stored(key)?.gone) onChange(key.slice(keyOf("").length));
    });
  },
};
