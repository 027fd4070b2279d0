// The session of this page has ended, and the visitor starts again: what was written goes on in a new
// conversation of the present owner. Only with this click, in this tab: it was on the screen.

import { drafts, editPlace, keyOf, newPlace, placeOf, recordingKey } from "../device/drafts.js";
import { leave, whatIsLeft } from "../device/storage.js";
import { outbox } from "./outbox.js";
import { owner } from "./owner.js";

/** Load the page for the present session, which takes over what is written in the open conversation. */
export function startAgain({ view, messages }) {
  const { threadId, draft, companion } = view;
  const place = placeOf(view);
  const edited = drafts.edited();
  const edits = messages.filter(({ id }) => edited.has(id)).map(({ id }) => editPlace(id));
  const left = { owner: owner.me, threadId, draft, companion, place, edits };
  const texts = [...edits, place].flatMap(takeUnkept);
  if (!outbox.isKept()) texts.push(...outbox.takeOver(owner.me, left));
  leave({ ...left, texts });
  location.reload();
}

/** Return what is written at a place, if this browser would lose it with the page. */
function takeUnkept(place) {
  if (drafts.isKept(place)) return [];
  const { text } = drafts.read(place);
  drafts.change(place, { text: "" });
  return [text];
}

/** Take over what the page before left; return the companion of the new conversation, or null for none. */
export async function takeOver() {
  const left = whatIsLeft();
  leave(null);
  const isSame = [owner.me, owner.before].includes(left?.owner); // the same person: all that is kept is in its place
  const place = isSame ? left.place : newPlace(left?.companion);
  for (const text of left?.texts ?? []) drafts.add(place, text);
  if (!left?.owner || isSame) return null;
  for (const from of [...(left.edits ?? []), left.place]) drafts.takeOver(left.owner, from, place);
  for (const text of outbox.takeOver(left.owner, left)) drafts.add(place, text);
  const { file, recording } = drafts.read(place);
  if (file || recording) {
    const { files } = await import("../device/files.js");
    for (const key of [keyOf, recordingKey]) await files.move(key(left.place, left.owner), key(place));
  }
  history.replaceState(null, "", "/");
  return left.companion;
}
