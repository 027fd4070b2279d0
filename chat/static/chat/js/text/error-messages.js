// What the page says if the server rejects something: the reason and what to do.

import { inTime, number, timeLeft } from "./formats.js";

/** Maximum code points in a message; the server's limit, checked before sending. */
export const MAX_TEXT = 20_000;

/** The server rejects these however often they are sent. */
const FINAL = new Set(["invalid", "too_large", "too_long", "bad_json", "bad_message", "not_found", "thread_full"]);
/** A message rejected for this reason is sent again by the page. */
const TOO_FAST = "too_many";

/** Return the refusal in an `error` or `…:rejected` event, as it is stored with a message. */
export const refusalOf = ({ code, error, retryAfter, receivedAt }) => ({
  code,
  error,
  retryAt: retryAfter ? receivedAt + retryAfter * 1000 : null,
});

export const isFinal = ({ code }) => FINAL.has(code);
export const isSentAgain = ({ code }) => code === TOO_FAST;

export const SESSION_ENDED = "Your session has ended.";
const NO_CONNECTION = "There is no connection.";

const messageErrors = {
  queue_full: (left) => `The queue is full. You can send it again ${inTime(left)}.`,
  budget_spent: (_, error) => error,
  thread_full: (_, error) => error,
  owner_limit: (left, error) => (left ? `${error} You can try again in ${left}.` : `${error} Then send it again.`),
  rate_limited: (left) => `You have sent many messages. You can send this one again ${inTime(left)}.`,
  too_many: (left) => `Too many requests. It will be sent ${inTime(left)}.`,
  too_large: () => "This message is too large. Shorten it, or send it in parts.",
  too_long: (_, error) => error,
  invalid: (_, error) => `${error} Change it and send it again.`,
  bad_json: (_, error) => `${error} Change it and send it again.`,
  not_found: () => "This conversation no longer exists. Copy the text and send it in another one.",
  server_error: () => "Something went wrong on the server. Send it again in a moment.",
  wrong_state: () => "The answer has already started. You can still send it again, which replaces everything below.",
  no_connection: () => `${NO_CONNECTION} The text is kept here; try again when the connection is back.`,
};

/** Explain the refusal of a message or an edit whose text the page still has. */
export function messageError({ code, error, retryAt }) {
  const explain = messageErrors[code] ?? (() => `${error ?? "It was rejected."} Send it again in a moment.`);
  return explain(timeLeft(retryAt), error);
}

const requestErrors = {
  too_many: (left) => `Too many requests; nothing was sent. You can try again ${inTime(left)}.`,
  too_large: () => "That was too large to send. Nothing was changed.",
  wrong_state: () => "Too late: it has already started or finished. The page now shows the current state.",
  not_found: () => "It no longer exists. The page now shows the current state.",
  no_connection: () => `${NO_CONNECTION} Try again when it is back.`,
};

/** Explain the refusal of another request, for example to stop an answer or to delete a message. */
export function requestError({ code, error, retryAt }) {
  const left = timeLeft(retryAt);
  const otherwise = () => [error ?? "That did not work.", left && `Try again in ${left}.`].filter(Boolean).join(" ");
  return (requestErrors[code] ?? otherwise)(left);
}

export const EMPTY = "There is nothing to send: the message is empty.";
export const titleTooLong = (length, maximum) =>
  `This title has ${number(length)} characters; the maximum is ${number(maximum)}.`;
export const tooLong = (length) =>
  `This message has ${number(length)} characters; the maximum is ${number(MAX_TEXT)}. Shorten it, or send it in parts.`;

// --- files ---

export const FILE_OFFLINE = `${NO_CONNECTION} Send it again when the connection is back.`;
