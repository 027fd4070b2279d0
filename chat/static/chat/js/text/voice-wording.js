// The sentences about voice messages, loaded with them.

import { stopwatch } from "./formats.js";
import { positionText, waitText } from "./wording.js";

export const MAX_SECONDS = 300;

/** Head and sentence of each state of the voice card. */
export const VOICE = {
  asking: () => ["Waiting for the microphone", "Your browser may ask for permission to use it."],
  recording: ({ seconds }) => ["Recording", `${stopwatch(seconds)} of ${stopwatch(MAX_SECONDS)}`],
  sending: () => ["Sending your recording", ""],
  waiting: ({ position, wait, reason }) =>
    reason ? [reason, "Trying again."] : [positionText(position, wait), waitText(wait, position)],
  transcribing: () => ["Transcribing your recording", "The text will appear in the message field."],
  failed: ({ text }) => [text, ""],
};
export const DONE = "The text is in the message field. Correct it if needed, then send it.";
export const DONE_ELSEWHERE = "The words of your recording wait in the conversation where you recorded them.";
export const SENT = "Your recording was sent in the conversation where you recorded it.";
export const TOO_SHORT = "This recording is too short. Start it, speak, and then stop it.";
export const KEPT = "Your recording was not sent yet. It is kept on this device.";
export const DELETED = "The conversation of this recording was deleted. Try again to send it in another one.";
export const OFFLINE = "There is no connection. Your recording is kept here; try again when the connection is back.";
export const secondsLeft = (seconds) => `${seconds} seconds are left.`;

/** Why recording is not possible, by the name of the browser's error. */
export const MICROPHONE = {
  insecure:
    "Browsers allow recording only on pages with HTTPS, and this page was opened without it. Send a sound file instead.",
  unsupported: "This browser cannot record here. Send a sound file instead.",
  NotAllowedError:
    "The microphone is blocked for this page. Allow it in your browser's address bar or settings, then try again.",
  NotFoundError: "No microphone was found. Connect one and try again, or send a sound file instead.",
  NotReadableError: "The microphone is in use by another program. Close that program and try again.",
};
