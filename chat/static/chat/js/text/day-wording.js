// The days of a conversation in words; loaded with its first messages.

import { daysAgo, formatter, isThisYear } from "./formats.js";

const DATE = { weekday: "long", day: "numeric", month: "long" };
const [DAY, DAY_AND_YEAR] = [formatter(DATE), formatter({ ...DATE, year: "numeric" })];

/** Whether two times are of different days here. */
export const isOtherDay = (one, other) => new Date(one).toDateString() !== new Date(other).toDateString();

/** The divider above the messages of a day: "Today", "Yesterday", "Tuesday, November 3", with the year of another one. */
export function dividerText(time) {
  const [days, date] = [daysAgo(time), new Date(time)];
  if (days < 2) return days < 1 ? "Today" : "Yesterday";
  return (isThisYear(date) ? DAY : DAY_AND_YEAR).format(date);
}
