// The quiet line above the composer: how busy it is here, and what has just happened to something asked for.

import { $, setText } from "./dom.js";

const LASTS = 10_000;

const BUSY = {
  throttled: "It is busy right now: answers take longer, and only a few of your messages can wait at once.",
  full: "The line is full right now. A new message may have to wait: it is kept here, to be sent again.",
};

export function noticeLine({ say }) {
  const line = $("#notice");
  const [words, button] = [$("p", line), $("button", line)];
  let news = null; // {text: () => string, until, action?: {label, run}}
  let spoken = null;

  button.addEventListener("click", () => {
    const { run } = news.action;
    news = null;
    run();
  });

  function draw(state) {
    if (news && Date.now() > news.until) news = null;
    const level = state.link.kind === "online" ? state.pressure[line.dataset.queue] : null;
    const text = news?.text() ?? BUSY[level] ?? "";
    // The button is about to go; whoever is on it should not be thrown to the top of the page.
    if (!news?.action && document.activeElement === button) $("#message").focus();
    button.hidden = !news?.action;
    setText(button, news?.action?.label ?? "");
    setText(words, text);
    line.dataset.kind = news ? "news" : (level ?? "");
    line.hidden = !text;
    if (level !== spoken && BUSY[level]) say(BUSY[level]);
    if (state.link.kind === "online") spoken = level;
  }

  return {
    draw,
    /** Says it, and shows it for a while, or until `until`. */
    tell(text, { until = 0, action = null } = {}) {
      const sentence = typeof text === "function" ? text : () => text;
      news = { text: sentence, until: Math.max(until, Date.now()) + LASTS, action };
      say(sentence());
    },
    clear: () => (news = null),
  };
}
