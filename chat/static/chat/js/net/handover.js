// The session of this page has ended, and the visitor starts again: what was written in this tab goes on in a new
// conversation of the present owner. Only in this tab, where it was on the screen, and only as a draft.

import { commentPlace, drafts, editPlace, keyOf, newPlace, placeOf, recordingKey } from "../device/drafts.js";
import { leave, whatIsLeft } from "../device/storage.js";
import { existing } from "../views/companion-picker.js";
import { outbox } from "./outbox.js";
import { owner } from "./owner.js";

let isLeft = false;

/** Leave what was written to the next page of this tab, once; `page`: see main.js. */
export function leaveWords({ store, drafting }) {
  if (isLeft) return;
  isLeft = true;
  const { view, messages } = store.state;
  const edits = messages.flatMap(({ id }) => [editPlace(id), commentPlace(id)]);
  const places = [...edits.filter((place) => drafts.read(place).text), ...drafting.shown];
  const texts = places.flatMap(takeUnkept);
  if (!outbox.isKept()) texts.push(...outbox.takeOver(owner.me, places));
  leave({ owner: owner.me, companion: existing(view.companion), place: placeOf(view), places, texts });
}

/** Return what is written at a place, if this browser would lose it with the page. */
function takeUnkept(place) {
  if (drafts.isKept(place)) return [];
  const { text } = drafts.read(place);
  drafts.change(place, { text: "" });
  return [text];
}

/** Who comes by a link, perhaps after signing in, may be another person; who loads the page again or goes back is not. */
const isOtherVisit = () => performance.getEntriesByType("navigation")[0]?.type === "navigate";

/** Take over what the page before left; return {companion, hasWords} for the new conversation, or null for none. */
export async function takeOver() {
  const left = whatIsLeft();
  leave(null);
  if (!left?.places || isOtherVisit()) return null;
  const isSame = [owner.me, owner.before].includes(left.owner); // the same person: all that is kept is in its place
  const place = isSame ? left.place : newPlace(left.companion);
  for (const text of left.texts) drafts.add(place, text);
  if (isSame) return null;
  for (const from of left.places) await takeDraft(left.owner, from, place);
  for (const text of outbox.takeOver(left.owner, left.places)) drafts.add(place, text);
  history.replaceState(null, "", "/");
  const { text, file, recording } = drafts.read(place);
  return { companion: left.companion, hasWords: Boolean(text || file || recording) };
}

async function takeDraft(of, from, to) {
  const { file, recording } = drafts.takeOver(of, from, to);
  if (!file && !recording) return;
  const { files } = await import("../device/files.js");
  if (file) await files.move(keyOf(from, of), keyOf(to));
  if (recording) await files.move(recordingKey(from, of), recordingKey(to));
}
