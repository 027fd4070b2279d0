// Sentences about feedback; loaded with it.

export const FEEDBACK = {
  thanks: "Thank you.",
  removed: "Feedback removed.",
  notSaved: "Your feedback was not saved.",
  sayWhy: "Say why",
  change: "Change",
};
