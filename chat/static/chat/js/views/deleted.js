// A conversation was deleted in another tab or on another device. What was not sent there goes on in a new one: words,
// a file and a recording, also if they are on their way. Loaded with the first of them.

import { drafts, newPlace } from "../device/drafts.js";
import { deletedAside, deletedElsewhere } from "../text/deletion-wording.js";
import { existing, nameOf } from "./companion-picker.js";
import { $ } from "./dom.js";

/** page: see main.js; `unsent`: the texts that wait in its outbox. */
export function leaveDeleted(page, { threadId, companion, unsent }) {
  if (page.view().threadId === threadId) leaveOpen(page, unsent);
  else leaveOther(page, { threadId, companion: existing(companion), unsent });
}

function leaveOpen({ edits, store, drafting, router, restore, notice }, unsent) {
  const written = edits.takeWritten(store.state.messages);
  const texts = [...unsent, ...written, $("#message").value].filter(Boolean);
  const { place } = drafting;
  router.toNew();
  drafting.move(place, drafting.place);
  const missing = texts.filter((text) => !$("#message").value.includes(text));
  if (missing.length) restore(missing.join("\n\n"));
  notice.tell(deletedElsewhere(texts.length > 0));
}

/** Something may be on its way to a conversation that is not open, or wait there as a draft. */
function leaveOther({ attachments, voice, drafting, router, notice }, { threadId, companion, unsent }) {
  for (const text of unsent) drafts.add(threadId, text);
  if (drafts.isEmpty(threadId) && !attachments.holds(threadId) && !voice?.holds(threadId)) return;
  drafting.move(threadId, newPlace(companion));
  const action = { label: "Open it", run: () => router.toNewWith(companion) };
  notice.tell(deletedAside(nameOf(companion)), { action });
}
