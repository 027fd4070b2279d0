// Why a recording was not taken, and whether the same can be sent again.

import { DELETED, OFFLINE, TOO_SHORT } from "../../text/voice-wording.js";

export const SHORTEST = 0.6; // seconds; a press by mistake

/** Return {text, isFinal}. isFinal: it is never taken; isGone: its conversation was deleted. */
export async function reasonOf(recording, error, isGone) {
  const lost = error.status ? null : await lostFile(recording);
  const isFinal = error.code === "invalid" || Boolean(lost);
  if (!error.status) return { text: lost ?? OFFLINE, isFinal };
  const isShort = isFinal && recording.seconds < 2 * SHORTEST;
  return { text: isGone ? DELETED : isShort ? TOO_SHORT : error.message, isFinal };
}

/** A file that was chosen may have been deleted since. Without a connection this is not found out, and not the reason. */
const lostFile = ({ file }) =>
  import("../../net/lost-file.js").then(
    (module) => module.lostFile(file),
    () => null,
  );
