// What the page says about a wait, a failure, a time. Pure functions, one place for the wording.

const REASONS = {
  queue: "because others are ahead of you",
  rate_limit: "because this kind of work is limited to a few a minute",
  provider: "because the model asked everybody to slow down",
  slow: "because answers take longer than usual right now",
  paused: "because the queue is paused; your place is kept",
  delayed: "because it is set for a little later",
  workers: "because nobody is at work to answer; your message is kept until somebody is",
  redis: "because the queue is away for a moment; nothing is lost",
  turn: "because an earlier message here is answered first",
  same_question: "because the same question is just being answered; you share the answer",
};

export function ordinal(n) {
  const tens = n % 100;
  const suffix = tens >= 11 && tens <= 13 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${suffix}`;
}

export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return `${Math.round(seconds / 60)} min`;
}

function range({ low, high }) {
  if (high < 90) {
    const [from, to] = [Math.max(1, Math.round(low)), Math.max(1, Math.round(high))];
    return from === to ? `${to} s` : `${from}–${to} s`;
  }
  const [from, to] = [Math.max(1, Math.round(low / 60)), Math.round(high / 60)];
  return from === to ? `${to} min` : `${from}–${to} min`;
}

/** "This one goes on in 40 s (2nd of your 3 waiting)."; the time is known, so it is counted down. */
function heldSentence({ high, toldAt, place, of }) {
  const left = toldAt ? secondsUntil(toldAt + high * 1000) : high;
  const when = left ? `in ${duration(left)}` : "now";
  return of > 1 ? `This one goes on ${when} (${ordinal(place)} of your ${of} waiting).` : `This one goes on ${when}.`;
}

export function place(position, wait) {
  if (wait?.place) return "You have sent many messages";
  if (!position) return { turn: "Waiting for its turn", paused: "Paused", delayed: "Later" }[wait?.reason] ?? "In line";
  return position === 1 ? "Next in line" : `${ordinal(position)} in line`;
}

/** "About 10–20 s, because others are ahead of you."; nothing is promised when nothing is known. */
export function waitSentence(wait, position) {
  if (!wait) return "Your message is safe; the answer comes as soon as there is room.";
  if (wait.place) return heldSentence(wait);
  // Being next because of a queue needs no reason; the others always do.
  const reason = wait.reason === "queue" && position === 1 ? null : REASONS[wait.reason];
  const about = wait.high == null ? "" : `about ${range(wait)}`;
  const sentence = [about, reason].filter(Boolean).join(", ");
  return sentence ? `${sentence[0].toUpperCase()}${sentence.slice(1)}.` : "";
}

/** When a conversation was last written in: "Today", "Last 7 days", then its month, "October 2025". */
export function dayWords(time) {
  const midnight = (date) => date.setHours(0, 0, 0, 0);
  const days = Math.round((midnight(new Date()) - midnight(new Date(time))) / 86_400_000);
  if (days < 2) return days < 1 ? "Today" : "Yesterday";
  if (days < 31) return days < 8 ? "Last 7 days" : "Last 30 days";
  return new Date(time).toLocaleDateString("en", { month: "long", year: "numeric" });
}

export const secondsUntil = (time) => Math.max(0, Math.ceil((time - Date.now()) / 1000));

export function retrySentence({ at, next, of }) {
  const seconds = secondsUntil(at);
  const when = seconds ? `in ${seconds} s` : "now";
  return `Trying again ${when} (attempt ${next} of ${of})`;
}

export function failureAdvice(canRetry) {
  return canRetry === false
    ? "Trying the same again will not help. Change the message, or tell whoever runs this site."
    : "Your message is kept. Try again now, or in a little while.";
}

export const fileSize = (bytes) =>
  bytes < 1024 ** 2 ? `${Math.max(1, Math.round(bytes / 1024))} kB` : `${(bytes / 1024 ** 2).toFixed(1).replace(".0", "")} MB`;

/** "report.pdf · 1.2 MB · 12 pages" */
export function attachmentWords({ name, size, pages, seconds }) {
  const length = seconds ? duration(seconds) : pages && `${pages} page${pages > 1 ? "s" : ""}`;
  return [name, size && fileSize(size), length].filter(Boolean).join(" · ");
}

/** "1:05" */
export const stopwatch = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

export const clockTime = (iso) => new Date(iso).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
