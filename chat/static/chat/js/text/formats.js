// Numbers and times as people read them. Pure functions.

const MB = 1024 ** 2;
const DAY = 86_400_000; // ms

/** Whether a text shows nothing, as the server decides it: no letter, number, sign or picture with ink. */
export const isBlank = (text) => !/(?![\u115f\u1160\u2800\u3164\uffa0])[\p{L}\p{N}\p{P}\p{S}]/u.test(text);

/** Return a name that people chose, so that it does not change the direction of the words around it. */
export const isolated = (name) => name && `\u2068${name}\u2069`;

/** "2nd" */
export function ordinal(n) {
  const tens = n % 100;
  const suffix = tens >= 11 && tens <= 13 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${suffix}`;
}

/** "40 s" or "3 min" */
export const duration = (seconds) =>
  seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;

/** "10–20 s" or "2–3 min" */
export function durationRange({ low, high }) {
  const [size, unit] = high < 90 ? [1, "s"] : [60, "min"];
  const [from, to] = [low, high].map((seconds) => Math.max(1, Math.round(seconds / size)));
  return from === to ? `${to} ${unit}` : `${from}–${to} ${unit}`;
}

export const secondsUntil = (time) => Math.max(0, Math.ceil((time - Date.now()) / 1000));

/** "40 s" until `time`, or "" if that is over. */
export const timeLeft = (time) => (time && secondsUntil(time) ? duration(secondsUntil(time)) : "");

/** "in 40 s" or "now" */
export const inTime = (left) => (left ? `in ${left}` : "now");

/** "1:05" */
export const stopwatch = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

// The words of a date are in the page's language, its order and the clock as the visitor has them.
const LANGUAGE = document.documentElement.lang;
const LOCALE = navigator.languages.find((name) => name.startsWith(LANGUAGE)) ?? LANGUAGE;
const { hourCycle } = new Intl.DateTimeFormat([], { hour: "numeric" }).resolvedOptions();
export const formatter = (parts) => new Intl.DateTimeFormat(LOCALE, parts);
const SHORT = { day: "numeric", month: "short" };
const FORMATS = {
  clock: formatter({ hour: "numeric", minute: "2-digit", hourCycle }),
  full: formatter({ dateStyle: "full", timeStyle: "short", hourCycle }),
  short: formatter(SHORT),
  shortAndYear: formatter({ ...SHORT, year: "numeric" }),
  month: formatter({ month: "long", year: "numeric" }),
};
export const isThisYear = (date) => date.getFullYear() === new Date().getFullYear();

/** "10:42 AM" */
export const clockTime = (time) => FORMATS.clock.format(new Date(time));

/** "Tuesday, November 3, 2026 at 10:42 AM" */
export const fullTime = (time) => FORMATS.full.format(new Date(time));

/** "Nov 3", with the year if it is another one. */
export const shortDate = (time, date = new Date(time)) =>
  (isThisYear(date) ? FORMATS.short : FORMATS.shortAndYear).format(date);

/** "November 2026" */
export const monthName = (time) => FORMATS.month.format(new Date(time));

/** The number of midnights between `time` and now. */
export function daysAgo(time) {
  const midnight = (date) => date.setHours(0, 0, 0, 0);
  return Math.round((midnight(new Date()) - midnight(new Date(time))) / DAY);
}

/** "12 kB" or "1.2 MB" */
export const fileSize = (bytes) =>
  bytes < MB ? `${Math.max(1, Math.round(bytes / 1024))} kB` : `${(bytes / MB).toFixed(1).replace(".0", "")} MB`;

/** "1,204" */
export const number = (count) => count.toLocaleString("en");

let currency = "USD";
export const setCurrency = (code) => (currency = code);

/** "$0.0021" from millionths; below one cent with two significant digits. */
export function money(millionths) {
  const amount = millionths / 1e6;
  const digits = amount < 0.01 ? { maximumSignificantDigits: 2 } : {};
  return amount.toLocaleString("en", { style: "currency", currency, ...digits });
}
