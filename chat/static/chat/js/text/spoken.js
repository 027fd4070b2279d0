// What is announced to screen readers about answers and recordings.

import { positionText, waitText } from "./wording.js";

export const SPOKEN = {
  sent: (position, wait) => `Sent. ${positionText(position, wait)}. ${waitText(wait, position)}`,
  started: (_, name) => `${name} is answering.`,
  thinking: (_, name) => `${name} is thinking before it answers.`,
  progress: ({ done, total }) => `${done} of ${total} parts read.`,
  retrying: (event) => `${event.reason} Trying again in ${Math.ceil(event.in)} seconds.`,
  completed: (_, name) => `${name} has answered.`,
  failed: ({ error }) => `The answer failed. ${error}`,
  cancelled: () => "The answer was stopped.",
  help: ({ title }) => `${title} Help lines are shown below your message.`,
  edited: () => "Message changed.",
  removed: ({ messageIds }) =>
    messageIds.length > 2 ? "The messages from there on were deleted." : "Message deleted.",
};
export const SPOKEN_OF_RECORDINGS = {
  started: () => "Transcribing your recording.",
  completed: () => "Recording transcribed.",
  failed: ({ error }) => error,
  cancelled: () => "Recording deleted.",
};
