// Help lines below a message, and the reminder that this is an AI.

import { tab } from "../device/storage.js";
import { api } from "../net/api.js";
import { CARE_FAILED } from "../text/wording.js";
import { $ } from "./dom.js";

const YEAR = 31_536_000; // s
const BREAK = 30 * 60_000; // ms without a message after which a new session begins
const KEY = "buddy.session";

/** Draw the card with the help lines at the end of a message, or remove it; onChange(help): another country. */
export function drawCare(element, help, onChange) {
  const old = $(".care", element);
  if (old ? old.help === help : !help) return;
  const hadFocus = old?.contains(document.activeElement);
  old?.remove();
  if (!help) return;
  element.insertAdjacentHTML("beforeend", help.html); // rendered and escaped by the server
  const card = $(".care", element);
  card.help = help;
  const select = $("select", card);
  if (hadFocus) select.focus();
  select.onchange = () => changeCountry(help, select, onChange);
}

async function changeCountry(help, select, onChange) {
  const country = select.value;
  select.setCustomValidity("");
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in all browsers yet
  document.cookie = `care_country=${country}; path=/; max-age=${YEAR}; samesite=lax`;
  const { level, language } = help;
  try {
    const { care } = await api.care({ level, language, country });
    onChange({ ...help, ...care });
  } catch (error) {
    select.value = help.country;
    select.setCustomValidity(`${CARE_FAILED} ${error.message}`);
    select.reportValidity();
  }
}

/**
 * Create the reminder; call it with each message. It calls `show` once per session, after this
 * number of `messages` or `minutes`.
 */
export function createReminder({ messages, minutes }, show) {
  let session = { last: 0 };
  return () => {
    const now = Date.now();
    const stored = tab.read(KEY);
    if (stored?.last) session = stored;
    if (now - session.last > BREAK) session = { since: now, count: 0 };
    session.last = now;
    session.count += 1;
    const isDue = (messages && session.count >= messages) || (minutes && now - session.since >= minutes * 60_000);
    if (isDue && !session.shown) show();
    session.shown ||= isDue;
    tab.set(KEY, JSON.stringify(session));
  };
}
