// The recordings of drafts, kept on the device until they have arrived.

import { drafts, recordingKey } from "../../device/drafts.js";
import { files } from "../../device/files.js";

export async function store(recording) {
  const { place, file, send, seconds, requestId } = recording;
  recording.isKept = await files.put(recordingKey(place), { file, send, seconds, requestId });
  if (recording.isKept) drafts.change(place, { recording: true });
}

/** Return the recording of a draft, or null. */
export async function load(place) {
  const found = await files.get(recordingKey(place));
  if (!found) drafts.change(place, { recording: false });
  return found && { ...found, isKept: true };
}

export function forget({ place }) {
  if (!drafts.read(place).recording) return;
  drafts.change(place, { recording: false });
  files.remove(recordingKey(place));
}

export function move(from, to) {
  if (!drafts.read(from).recording) return;
  drafts.change(from, { recording: false });
  drafts.change(to, { recording: true });
  files.move(recordingKey(from), recordingKey(to));
}
