// The page's sentences about waiting, answering, files and costs, in one place so that they can be
// translated. Errors are in error-messages.js; what never changes is in the templates.

import { SESSION_ENDED } from "./error-messages.js";
import {
  clockTime,
  daysAgo,
  duration,
  durationRange,
  fileSize,
  inTime,
  isolated,
  money,
  monthName,
  number,
  ordinal,
  secondsUntil,
  shortDate,
  timeLeft,
} from "./formats.js";

// --- waiting ---

const REASONS = {
  queue: "because others are ahead of you",
  rate_limit: "because only a few of these can run per minute",
  provider: "because the model provider asked us to slow down",
  slow: "because answers take longer than usual",
  paused: "because the queue is paused; your place in line is kept",
  delayed: "because it is scheduled for later",
  workers: "because the service cannot start it at the moment; your message is kept until it can",
  redis: "because the queue is unavailable for a moment; nothing is lost",
  previous_message: "because an earlier message in this conversation is answered first",
};
const HEADS = {
  previous_message: "Waiting for the previous answer",
  paused: "Paused",
  delayed: "Scheduled",
  provider: "Waiting for the model",
};

/** The position in line: "2nd in line". */
export function positionText(position, wait) {
  if (wait?.place) return "You have sent many messages";
  if (!position) return HEADS[wait?.reason] ?? "In line";
  return position === 1 ? "Next in line" : `${ordinal(position)} in line`;
}

/** "About 10–20 s, because others are ahead of you."; promises nothing if nothing is known. */
export function waitText(wait, position) {
  if (!wait) return "Your message is saved. The answer starts as soon as possible.";
  if (wait.place) return delayText(wait);
  if (wait.reason === "provider" && wait.high == null) return outageText(wait);
  // Being next because of the queue needs no reason; all other reasons are given.
  const reason = wait.reason === "queue" && position === 1 ? null : REASONS[wait.reason];
  const about = wait.high == null ? "" : `about ${durationRange(wait)}`;
  const sentence = [about, reason].filter(Boolean).join(", ");
  return sentence ? `${sentence[0].toUpperCase()}${sentence.slice(1)}.` : "";
}

/** "Will be sent in 40 s (2 of 3 waiting)."; the time is known, so it is counted down. */
function delayText({ high, receivedAt, place, of }) {
  const left = receivedAt ? timeLeft(receivedAt + high * 1000) : high && duration(high);
  const count = of > 1 ? ` (${place} of ${of} waiting)` : "";
  return `Will be sent ${inTime(left)}${count}.`;
}

/** "The model does not answer at the moment. Your message is kept; the next try is in 10 s." */
function outageText({ low, receivedAt }) {
  const left = receivedAt ? timeLeft(receivedAt + low * 1000) : low && duration(low);
  return `The model does not answer at the moment. Your message is kept; the next try is ${inTime(left)}.`;
}

export function retryText({ at, next, of }) {
  const left = secondsUntil(at) && `${secondsUntil(at)} s`;
  return `Trying again ${inTime(left)} (attempt ${next} of ${of})`;
}

/** What can be done about an answer that failed, perhaps after its beginning. */
export function adviceText({ role, text, error, advice }) {
  const isCut = role === "assistant" && text && !error?.includes("incomplete");
  return [isCut && "The answer above is incomplete.", advice].filter(Boolean).join(" ");
}

/** The heading of the thoughts of an answer. */
export const thoughtText = (isThinking, length) => (isThinking ? "Thoughts so far" : `Thought for ${length}`);
export const THOUGHTS = {
  loading: "Loading…",
  secret: "The model's provider does not show its thoughts.",
  gone: "These thoughts are not kept any more.",
  failed: "The thoughts could not be loaded. Close this and open it again.",
};

export const BUSY = {
  throttled: "The service is busy: answers take longer, and only a few of your messages can wait at the same time.",
  full: "The queue is full. If your message is rejected, you can send it again.",
};

// --- the connection ---

const SAVED = "Your messages are saved on this device and sent when the connection is back.";

export const CONNECTION = {
  connecting: () => "Connecting…",
  again: () => `Connecting again… ${SAVED}`,
  offline: () => `You are offline. ${SAVED}`,
  waiting: (seconds) => `The connection was lost. Trying again in ${seconds} s. ${SAVED}`,
  paused: (seconds) =>
    `This page sent too many requests, so the server closed the connection. Connecting again in ${seconds} s. ${SAVED}`,
  ended: () => `${SESSION_ENDED} Start again: what you have written waits for you in a new conversation.`,
  held: () => "Your network holds live updates back. Answers arrive in steps of a few seconds.",
  online: () => "Back online. Nothing was lost.",
};
export const CARE_FAILED = "The help lines of this country could not be loaded.";
export const HANDED_OVER = "Your session had ended. What you had written is below; it was not sent.";
export const unsentText = (connection, isKept) =>
  ({
    online: "Sending…",
    ended: isKept ? "Saved on this device, not sent." : "Not sent.",
  })[connection] ?? (isKept ? "Saved on this device. It is sent when the connection is back." : UNKEPT);
const UNKEPT = "This browser cannot store it. Leave the page open: it is sent when the connection is back.";

// --- conversations ---

/** The heading above a conversation: "Today", "Last 7 days", or its month. */
export function dayText(time) {
  const days = daysAgo(time);
  if (days < 2) return days < 1 ? "Today" : "Yesterday";
  if (days < 31) return days < 8 ? "Last 7 days" : "Last 30 days";
  return monthName(time);
}

/** When a conversation was last changed: "10:42 AM" today, else "Nov 3". */
export const rowTime = (time) => (daysAgo(time) < 1 ? clockTime(time) : shortDate(time));

export const THREADS = {
  searching: "Searching…",
  searchingOn: "Searching older conversations…",
  searchFailed: "The search is not available right now.",
  failed: "Your conversations could not be loaded. The page tries again when the connection is back.",
  noMatch: "No conversation matches.",
  none: "Your conversations will appear here.",
};
export const PROBLEMS = {
  cookies: [
    "This browser keeps no cookies for this site",
    "Buddy needs one to know which conversations are yours. Allow cookies for this site, then try again.",
  ],
  missing: ["Conversation not found", "It was deleted, or it belongs to someone else."],
  ended: ["Your session has ended", "This conversation belongs to it. Start again, or sign in if you have an account."],
  erased: ["Everything was erased", "This was done in another tab or on another device."],
  broken: ["This conversation could not be loaded", "It is safe on the server. Check the connection and try again."],
};

export const removedElsewhere =
  "Messages were deleted or changed in another tab or on another device. What you had not sent is below.";

export const EDITS = {
  kept: "Your change is not sent. It is kept: “Edit” shows it again.",
  givenUp: "Change discarded.",
  withVersion: "Another version is shown. What you had not sent is kept with the one before.",
};

/** The button that leads to the end of a conversation, with what has come there: {count} messages, or more text. */
export function latestText({ count, goesOn }) {
  const news = count ? `${number(count)} new message${count > 1 ? "s" : ""}` : goesOn && "the answer goes on";
  return ["Jump to the latest", news].filter(Boolean).join(" · ");
}

// --- files and costs ---

const tokens = (count) => `${number(count)} token${count === 1 ? "" : "s"}`;

/** "report.pdf · 1.2 MB · 12 pages · up to 9 model calls, 31,000 tokens, $0.02" */
export function attachmentText({ name, size, pages, seconds, cost }) {
  const length = seconds ? duration(seconds) : pages && `${pages} page${pages > 1 ? "s" : ""}`;
  return [isolated(name), size && fileSize(size), length, cost && mostText(cost)].filter(Boolean).join(" · ");
}

function mostText({ calls, tokens: count, cost }) {
  const parts = [
    `up to ${number(calls)} model call${calls === 1 ? "" : "s"}`,
    tokens(count),
    cost != null && money(cost),
  ];
  return parts.filter(Boolean).join(", ");
}

/** "a-model · 1,204 tokens · $0.0021", as far as it is known. */
export function costText({ model, usage, cost, cached }) {
  if (cached || !usage) return "";
  const total = `${usage.estimated ? "about " : ""}${tokens(usage.inputTokens + usage.outputTokens)}`;
  return [model, total, cost != null && money(cost)].filter(Boolean).join(" · ");
}

/** "1,204 tokens · $0.0021 today", or how much that is of the day's budget. */
export function usageText({ today, budget }) {
  if (!today.tokens && !budget.tokens && !budget.cost) return "";
  const used = budget.tokens ? `${number(today.tokens)} of ${tokens(budget.tokens)}` : tokens(today.tokens);
  const cost =
    today.cost != null && (budget.cost ? `${money(today.cost)} of ${money(budget.cost)}` : money(today.cost));
  return `${[used, cost].filter(Boolean).join(" · ")} today`;
}
