// The line above the composer: how busy the queue is, and the result of something the visitor asked for.

import { BUSY } from "../text/wording.js";
import { $, setText } from "./dom.js";

const SHOWN_MS = 10_000;

/** Create the line; `draw(state)` is called on every change and every second. */
export function createStatusLine({ say }) {
  const element = $("#notice");
  const line = { element, button: $("button", element), say, news: null, spoken: null };
  line.button.addEventListener("click", () => {
    const { run } = line.news.action;
    line.news = null;
    run();
  });
  return {
    draw: (state) => drawLine(line, state),
    /** Say and show `text`, a string or a function, for a while or until `until`; action: {label, run}. */
    tell(text, { until = 0, action = null } = {}) {
      const sentence = typeof text === "function" ? text : () => text;
      line.news = { text: sentence, until: Math.max(until, Date.now()) + SHOWN_MS, action };
      say(sentence());
    },
    clear: () => (line.news = null),
  };
}

function drawLine(line, { link, pressure }) {
  const { element, button } = line;
  if (line.news && Date.now() > line.news.until) line.news = null;
  const { news } = line;
  const isOnline = link.kind === "online";
  const level = isOnline ? pressure[element.dataset.queue] : null;
  const text = news?.text() ?? BUSY[level] ?? "";
  // The button is about to disappear; its focus must not jump to the top of the page.
  if (!news?.action && document.activeElement === button) $("#message").focus();
  button.hidden = !news?.action;
  setText(button, news?.action?.label ?? "");
  setText($("p", element), text);
  element.dataset.kind = news ? "news" : (level ?? "");
  element.hidden = !text;
  if (level !== line.spoken && BUSY[level]) line.say(BUSY[level]);
  if (isOnline) line.spoken = level;
}
