// Draws the open conversation: one element per message, kept and changed in place.

import { drawCare } from "./care.js";
import { $, clone, fill } from "./dom.js";
import { drawFeedback } from "./feedback.js";
import { liveText } from "./live.js";
import { isOver, isRunning, isUnheard, waits } from "./messages.js";
import { drawMine } from "./mine.js";
import { blocksOf, showBlocks, showPlain } from "./prose.js";
import { drawState } from "./state-card.js";
import { billWords } from "./usage.js";
import { clockTime } from "./words.js";

const NEAR_END = 96; // px: who is this close to the end wants to stay there

export function messageList({ scroller, toLatest, onEdit, onClose, onFocusLost, onCare, onRender }) {
  const list = document.createElement("div");
  list.className = "messages";
  const drawn = new Map(); // key -> {element, message}
  const live = liveText(onRender);
  let follow = true;

  const toEnd = () => (scroller.scrollTop = scroller.scrollHeight);
  const isNearEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END;
  scroller.addEventListener("scroll", () => {
    follow = isNearEnd();
    toLatest.hidden = follow || !list.isConnected;
  });
  toLatest.addEventListener("click", () => {
    toEnd();
    scroller.focus({ preventScroll: true });
  });

  function draw(state, name) {
    const hadFocus = list.contains(document.activeElement);
    const keep = new Set(state.messages.map((message) => message.key));
    for (const [key, { element }] of drawn) {
      if (keep.has(key)) continue;
      element.remove();
      drawn.delete(key);
    }
    state.messages.forEach((message, index) => {
      const entry = drawn.get(message.key) ?? create(message, state.view.companion);
      if (list.children[index] !== entry.element) list.insertBefore(entry.element, list.children[index] ?? null);
      if (entry.message !== message) drawMessage(entry.element, message, state.messages[index - 1]);
      if (entry.message !== message || message.status === "active") drawText($(".message__text", entry.element), message);
      if (message.role === "user") drawMine(entry.element, message, { waits: waits(state.messages, message), onEdit, onClose });
      if (message.role === "user") drawCare(entry.element, isAbout(state.care, message) ? state.care : null, onCare);
      entry.element.hidden = message.role === "assistant" && isUnheard(state.messages[index - 1]);
      drawState($(".state", entry.element), message, { link: state.link, name });
      entry.message = message;
    });
    if (hadFocus && !list.contains(document.activeElement)) onFocusLost();
    if (follow) toEnd();
  }

  function drawText(host, message) {
    if (message.role === "user") showPlain(host, message.text);
    else if (message.html === null) live.draw(host, message);
    else if (host.html !== message.html) showBlocks(host, blocksOf(message.html));
    host.html = message.html; // what has been shown is not looked at again
  }

  function create(message, companion) {
    const element = clone(message.role === "user" ? "mine" : `reply-${companion}`);
    element.dataset.key = message.key;
    const entry = { element, message: null };
    drawn.set(message.key, entry);
    if (message.role === "user") follow = true;
    return entry;
  }

  return {
    element: list,
    draw,
    clear() {
      list.replaceChildren();
      drawn.clear();
      follow = true;
      toLatest.hidden = true;
    },
  };
}

const isAbout = (care, { id, requestId }) => Boolean(care) && (care.messageId ? care.messageId === id : care.requestId === requestId);

function drawMessage(element, message, before) {
  element.dataset.status = message.status;
  if (message.role === "user") return;

  // Busy tells screen readers to leave the text alone until it is whole.
  element.setAttribute("aria-busy", isRunning(message));
  const tools = $(".message__tools", element);
  tools.hidden = isRunning(message) || !message.text;
  fill(tools, { time: message.createdAt ? clockTime(message.createdAt) : "", bill: isOver(message) ? billWords(message) : "" });
  $(".message__cut", element).hidden = message.status !== "completed" || !message.truncated;
  $(".message__cached", tools).hidden = !message.cached;
  const report = $(".message__report", tools);
  report.hidden = message.status !== "completed" || before?.attachment?.kind !== "document";
  report.href = `/api/analysis/${message.jobId}/report.md`;
  drawFeedback(tools, message);
}
