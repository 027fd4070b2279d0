// Sentences about conversations that were deleted; loaded with the first of them.

/** The open conversation was deleted; `kept`: what was not sent. */
export const deletedElsewhere = (kept) =>
  `This conversation was deleted in another tab or on another device.${kept ? " What you had not sent is below." : ""}`;

/** Another one was, and something was not sent there. */
export const deletedAside = (companion) =>
  `A conversation was deleted in another tab or on another device. What you had not sent there waits in a new one with ${companion}.`;
