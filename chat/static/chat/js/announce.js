// What a screen reader hears: start, place in line, end and failure. Never the words as they come.

import { $ } from "./dom.js";
import { topicOf, verbOf } from "./messages.js";
import { place, waitSentence } from "./words.js";

const QUIET = 6000; // ms between two positions: often enough to follow, seldom enough to think

export function announcer() {
  const region = $("#announcer");
  let lastPlace = 0;
  let lastStart = null;
  let lastQuarter = null;

  const say = (text) => (region.textContent = text);

  const sentences = {
    queued: ({ position, estimatedWait }) => {
      lastPlace = Date.now();
      return `Sent. ${place(position, estimatedWait)}. ${waitSentence(estimatedWait, position)}`;
    },
    position({ position }) {
      if (!position || Date.now() - lastPlace < QUIET) return null;
      lastPlace = Date.now();
      return place(position);
    },
    started({ jobId, run }, name) {
      const start = `${jobId}.${run}`;
      if (start === lastStart) return null; // told again after a reconnect
      lastStart = start;
      return `${name} is answering.`;
    },
    progress({ jobId, done, total }) {
      const quarter = `${jobId}.${Math.floor((4 * done) / total)}`;
      if (quarter === lastQuarter || !done || done === total) return null;
      lastQuarter = quarter;
      return `${done} of ${total} parts read.`;
    },
    retrying: (event) => `${event.reason} Trying again in ${Math.ceil(event.in)} seconds.`,
    completed: (event, name) => `${name} has answered.`,
    failed: (event) => `The answer failed. ${event.error}`,
    cancelled: () => "The answer was stopped.",
    help: ({ title }) => `${title} Help lines are shown below your message.`,
    edited: () => "Message changed.",
    removed: ({ messageIds }) => (messageIds.length > 2 ? "The messages from there on are gone." : "Message removed."),
  };

  const ofRecordings = {
    started: () => "Listening to your recording.",
    progress: () => null,
    completed: () => "Your recording is written down.",
    failed: ({ error }) => error,
    cancelled: () => "Recording removed.",
  };

  return {
    say,
    event(event, name) {
      const words = topicOf(event) === "audio" ? { ...sentences, ...ofRecordings } : sentences;
      const text = words[verbOf(event)]?.(event, name);
      if (text) say(text);
    },
  };
}
