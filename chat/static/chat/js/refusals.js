// What the page says when the server does not take something: what is the matter, and what to do.

import { duration, secondsUntil } from "./words.js";

/** Code points in a message; the server's limit, told before somebody waits for a refusal. */
export const MAX_TEXT = 20_000;

/** The server takes nothing of this kind again, however often it is sent. */
const FOR_GOOD = new Set(["invalid", "too_large", "bad_message", "not_found"]);
/** Our own haste: what was refused for it is sent again without anybody's doing. */
const HASTE = "too_many";

/** What `error` and `…:rejected` events say, as it is kept with a message. */
export const refusalOf = ({ code, error, retryAfter, receivedAt }) => ({
  code,
  error,
  retryAt: retryAfter ? receivedAt + retryAfter * 1000 : null,
});

export const isForGood = ({ code }) => FOR_GOOD.has(code);
export const sendsItself = ({ code }) => code === HASTE;

const sentences = {
  queue_full: (_, left) =>
    left
      ? `The line is full. There should be room in ${left}; send it again then.`
      : "The line is full. There should be room again. Send it once more.",
  budget_spent: ({ error }) => error,
  owner_limit: ({ error }, left) => `${error} ${left ? "You can try again in " + left : "Then send it again"}.`,
  rate_limited: (_, left) => `You have sent many messages. ${left ? "Send this one again in " + left : "You can send it again now"}.`,
  too_many: (_, left) => (left ? `That was too fast. It goes out in ${left}.` : "That was too fast. It goes out now."),
  too_large: () => "This is more than one message can carry. Shorten it, or send it in parts.",
  invalid: ({ error }) => `${error} Change it and send it again.`,
  not_found: () => "What this belongs to is not here any more. Keep the text, and send it somewhere else.",
  server_error: () => "Something went wrong on the server. Send it again in a moment.",
  wrong_state: () => "Its answer has begun meanwhile. You can still send it again, which replaces everything from here on.",
  session: () => "This was written in a session that has ended. Send it again to ask it now.",
  no_connection: () => "There is no connection just now. The text stays here; try again when it is back.",
};

/** For a message or an edit whose text the page still has. */
export function refusalSentence(refusal) {
  const left = refusal.retryAt && secondsUntil(refusal.retryAt) ? duration(secondsUntil(refusal.retryAt)) : "";
  return (sentences[refusal.code] ?? (({ error }) => `${error ?? "It was not taken."} Send it again in a moment.`))(refusal, left);
}

const troubles = {
  too_many: (left) => `That was too fast, and was not done. ${left ? "Try again in " + left : "You can try again now"}.`,
  too_large: () => "That was more than can be sent at once. Nothing was changed.",
  wrong_state: () => "That came too late: it has begun or is over. The page now shows how it stands.",
  not_found: () => "That is not here any more. The page now shows what is.",
  no_connection: () => "There is no connection just now. Try again when it is back.",
};

/** For something else that was asked for, like a Stop or a Withdraw. */
export function troubleSentence({ code, error, retryAt }) {
  const left = retryAt && secondsUntil(retryAt) ? duration(secondsUntil(retryAt)) : "";
  const otherwise = () => [error ?? "That did not work.", left && `Try again in ${left}.`].filter(Boolean).join(" ");
  return (troubles[code] ?? otherwise)(left);
}

export const tooLong = (length) =>
  `This message has ${length.toLocaleString("en")} characters; ${MAX_TEXT.toLocaleString("en")} is the most. Shorten it, or send it in parts.`;
