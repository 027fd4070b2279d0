// The session of this page has ended, and the visitor starts again: what was written goes on in a new
// conversation of the present owner. Only with this click, in this tab: it was on the screen.

import { drafts, keyOf, newPlace, placeOf, recordingKey } from "../device/drafts.js";
import { HANDOVER, tab } from "../device/storage.js";
import { outbox } from "./outbox.js";
import { owner } from "./owner.js";

/** Load the page for the present session, which takes over what is written in the open conversation. */
export function startAgain({ view }) {
  const { threadId, draft, companion } = view;
  tab.set(HANDOVER, JSON.stringify({ owner: owner.me, threadId, draft, companion, place: placeOf(view) }));
  location.reload();
}

/** Take over what the page before left; return the companion of the new conversation, or null for none. */
export async function takeOver() {
  const left = tab.read(HANDOVER);
  tab.set(HANDOVER, null);
  if (!left?.owner || [owner.me, owner.before].includes(left.owner)) return null; // the same person: all is in its place
  const place = newPlace(left.companion);
  drafts.takeOver(left.owner, left.place, place);
  for (const text of outbox.takeOver(left.owner, left)) drafts.add(place, text);
  const { file, recording } = drafts.read(place);
  if (file || recording) {
    const { files } = await import("../device/files.js");
    for (const key of [keyOf, recordingKey]) await files.move(key(left.place, left.owner), key(place));
  }
  history.replaceState(null, "", "/");
  return left.companion;
}
