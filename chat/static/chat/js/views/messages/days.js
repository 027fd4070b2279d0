// The times of messages: a divider above the first message of each day, and the whole date of each message.

import { dividerText, isOtherDay } from "../../text/day-wording.js";
import { clockTime, fullTime } from "../../text/formats.js";
import { $, create, setText } from "../dom.js";

/** Draw when `message` was written; `before` is the message above it, `today` any time of the present day. */
export function drawTimes(element, message, before, today) {
  const { createdAt } = message;
  if (!createdAt) return;
  drawDivider(element, createdAt, isOtherDay(createdAt, before?.createdAt ?? today));
  const isMine = message.role === "user";
  const time = $("time[data-slot=time]", element);
  const full = fullTime(createdAt);
  time.dateTime = new Date(createdAt).toISOString();
  setText(time, isMine ? full : clockTime(createdAt)); // of one's own message only screen readers read it
  if (isMine) $(".message__text", element).title = full;
  else [time.title, time.ariaLabel] = [full, full];
}

/** The divider is part of the message, so that it comes, goes and is scrolled with it. */
function drawDivider(element, createdAt, isShown) {
  const divider = $(".day", element);
  if (!isShown) return divider?.remove();
  setText(divider ?? addDivider(element), dividerText(createdAt));
}

function addDivider(element) {
  const divider = create("p", { className: "day" });
  element.prepend(divider);
  return divider;
}
