// What a screen reader announces about an answer: its start, position, end and failure; never its text. Loaded with
// the first event.

import { topicOf, verbOf } from "../state/messages.js";
import { SPOKEN, SPOKEN_OF_RECORDINGS } from "../text/spoken.js";
import { positionText } from "../text/wording.js";

const POSITION_EVERY = 6000; // ms between two positions

/** Return the sentence about an event of the companion `name`, if there is one; `spoken` is what was announced. */
export function sentenceOf(event, name, spoken) {
  const verb = verbOf(event);
  const isRecording = topicOf(event) === "audio";
  if (isRecording && verb === "progress") return null;
  if (isRecording && SPOKEN_OF_RECORDINGS[verb]) return SPOKEN_OF_RECORDINGS[verb](event);
  return verb in limited ? limited[verb](event, name, spoken) : SPOKEN[verb]?.(event, name);
}

/** Events that come too often to announce each of them. */
const limited = {
  queued({ position, estimatedWait }, _, spoken) {
    spoken.positionAt = Date.now();
    return SPOKEN.sent(position, estimatedWait);
  },
  position({ position }, _, spoken) {
    if (!position || Date.now() - spoken.positionAt < POSITION_EVERY) return null;
    spoken.positionAt = Date.now();
    return positionText(position);
  },
  started(event, name, spoken) {
    const start = `${event.jobId}.${event.run}`;
    if (start === spoken.start) return null; // repeated after a reconnect
    spoken.start = start;
    return SPOKEN.started(event, name);
  },
  thinking(event, name, spoken) {
    const thought = `${event.jobId}.${event.run}`;
    if (thought === spoken.thought) return null;
    spoken.thought = thought;
    return SPOKEN.thinking(event, name);
  },
  progress(event, _, spoken) {
    const { jobId, done, total } = event;
    const quarter = `${jobId}.${Math.floor((4 * done) / total)}`;
    if (quarter === spoken.quarter || !done || done === total) return null;
    spoken.quarter = quarter;
    return SPOKEN.progress(event);
  },
};
