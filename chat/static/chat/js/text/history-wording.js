// Sentences of long conversations; loaded with them.

export const HISTORY = {
  before: "Show earlier messages",
  after: "Show later messages",
  loading: "Loading…",
  loaded: "More messages loaded.",
  failed: "These messages could not be loaded. Please try again.",
  beginning: "Beginning of the conversation",
};
