// Sentences about feedback; loaded with it.

import { number } from "./formats.js";

export const FEEDBACK = {
  thanks: "Thank you.",
  removed: "Feedback removed.",
  notSaved: "Your feedback was not saved.",
  sayWhy: "Say why",
  change: "Change",
  goOn: "Continue writing",
};
export const commentTooLong = (length, maximum) =>
  `This comment has ${number(length)} characters; the maximum is ${number(maximum)}.`;
