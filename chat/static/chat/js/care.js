// Help lines, below the message that calls for them, and the reminder that this is an AI.

import { api } from "./api.js";
import { $ } from "./dom.js";

/** Draws the card of `help` at the end of a message's element, or takes it away. */
export function drawCare(element, help, onChange) {
  const old = $(".care", element);
  if (old ? old.help === help : !help) return;
  const hadFocus = old?.contains(document.activeElement);
  old?.remove();
  if (!help) return;
  element.insertAdjacentHTML("beforeend", help.html); // a template of the server's, escaped there
  const card = $(".care", element);
  card.help = help;
  const select = $("select", card);
  if (hadFocus) select.focus();
  select.onchange = async () => {
    document.cookie = `care_country=${select.value}; path=/; max-age=31536000; samesite=lax`;
    const { level, language } = help;
    const answer = await api.care({ level, language, country: select.value }).catch(() => null);
    if (answer) onChange({ ...help, ...answer.care });
  };
}

const BREAK = 30 * 60_000; // ms without a message after which a new session begins
const KEY = "buddy.session";

/** To be called with each message: calls `show` once in a session of so many of them, or of so many minutes. */
export function reminder({ messages, minutes }, show) {
  let at = { last: 0 };
  return () => {
    const now = Date.now();
    at = JSON.parse(sessionStorage.getItem(KEY)) ?? at;
    if (now - at.last > BREAK) at = { since: now, count: 0 };
    at.last = now;
    at.count += 1;
    const isDue = (messages && at.count >= messages) || (minutes && now - at.since >= minutes * 60_000);
    if (isDue && !at.shown) show();
    at.shown ||= isDue;
    sessionStorage.setItem(KEY, JSON.stringify(at));
  };
}
