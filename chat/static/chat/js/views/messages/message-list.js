// The open conversation: one element per message, kept and changed in place. They stand in batches, so that the
// browser can leave out what is not in view: one by one, thousands of them would cost time in each frame.

import { isOver, isUnheard, isWaiting, waitingAnswers } from "../../state/messages.js";
import { drawCare } from "../care.js";
import { $, clone, create } from "../dom.js";
import { drawAnswer } from "./answer-tools.js";
import { drawTimes } from "./days.js";
import { createFollower } from "./follower.js";
import { blocksOf, showBlocks, showPlain } from "./html-patch.js";
import { createLiveAnswer } from "./live-answer.js";
import { drawState } from "./message-state.js";
import { drawThoughts } from "./thoughts.js";
import { drawUserMessage } from "./user-message.js";

const BATCH = 40; // messages

/**
 * Create the list; `draw(state, name)` shows the messages, `clear()` removes them, `follow()` goes to their end.
 * onRender(jobId, {run, offset}): ask for the Markdown of an answer in progress; onPage(side): load the page
 * `before` or `after` what is shown; onLatest(): load the end.
 */
export function createMessageList({ onRender, onPage, onLatest, say, ...handlers }) {
  const element = create("div");
  const host = element.appendChild(create("div", { className: "batches" }));
  const scroll = createFollower(element, onLatest);
  const drawn = new Map(); // key -> {element, shown}
  const list = { element: host, handlers, scroll, drawn, live: createLiveAnswer(onRender) };
  let history = null; // of long conversations only
  return {
    element,
    draw(state, name) {
      drawMessages(list, state, name);
      const { earlier, later, target, isPaged } = state.view;
      if (earlier || later || target || isPaged) history ??= import("./history.js").catch(() => null);
      history?.then((module) => {
        if (module) module.drawHistory({ element, scroll, onPage, say }, state.view, drawn);
        else history = null; // the connection was lost: it is loaded with the next drawing
      });
    },
    follow: scroll.follow,
    clear() {
      host.replaceChildren();
      drawn.clear();
      scroll.reset();
    },
  };
}

function drawMessages(list, state, name) {
  const { element, drawn, handlers, scroll } = list;
  const { messages, view, link } = state;
  const hadFocus = element.contains(document.activeElement);
  const first = firstIn(element.firstElementChild);
  const keepPlace = first && first.dataset.key !== messages[0]?.key ? scroll.hold(first) : null;
  removeOthers(drawn, new Set(messages.map(({ key }) => key)));
  const waiting = waitingAnswers(messages);
  const today = new Date().toDateString();
  let last = null;
  messages.forEach((message, index) => {
    const entry = drawn.get(message.key) ?? createEntry(list, message, view.companion);
    last = placeAfter(element, last, entry.element);
    const before = messages[index - 1];
    const care = isAbout(state.care, message) ? state.care : null;
    const waits = message.role === "user" && isWaiting(message, waiting);
    const shown = { message, before, care, waits, link, name, today };
    if (isStill(message) && isSame(shown, entry.shown)) return;
    drawEntry(list, entry, shown);
    entry.shown = shown;
  });
  if (hadFocus && !element.contains(document.activeElement)) handlers.onFocusLost();
  keepPlace?.();
  scroll.update(view.later);
}

/** Of a long conversation almost all messages are still: nothing in them changes with the time. */
const isStill = (message) => (message.role === "user" ? message.status === "sent" : isOver(message));

const isSame = (one, other) => Boolean(other) && Object.keys(one).every((name) => one[name] === other[name]);

const firstIn = (batch) => batch?.firstElementChild;

/** Put a message behind `last`, in its batch or in a new one; return it. What is there is not moved: it keeps the focus. */
function placeAfter(host, last, element) {
  const batch = last?.parentElement;
  const next = last ? (last.nextElementSibling ?? firstIn(batch.nextElementSibling)) : firstIn(host.firstElementChild);
  if (next === element) return element;
  if (last && (last.nextElementSibling || batch.children.length < BATCH)) last.after(element);
  else host.insertBefore(createBatch(element), batch ? batch.nextElementSibling : host.firstElementChild);
  return element;
}

function createBatch(element) {
  const batch = create("div", { className: "messages" });
  batch.append(element);
  // From then on the browser need not draw it out of view: it remembers the height that it had.
  requestAnimationFrame(() => requestAnimationFrame(() => (batch.dataset.settled = "")));
  return batch;
}

function removeOthers(drawn, keys) {
  for (const [key, { element }] of drawn) {
    if (keys.has(key)) continue;
    const batch = element.parentElement;
    element.remove();
    drawn.delete(key);
    if (!batch.firstElementChild) batch.remove();
  }
}

function createEntry({ drawn, scroll }, message, companion) {
  const element = clone(message.role === "user" ? "user-message" : `reply-${companion}`);
  element.dataset.key = message.key;
  const entry = { element, shown: null };
  drawn.set(message.key, entry);
  if (message.status === "unsent") scroll.follow(); // the visitor has just written it
  return entry;
}

function drawEntry({ live, handlers }, { element, shown: drawn }, { message, before, care, waits, link, name, today }) {
  const isNew = drawn?.message !== message || drawn.before !== before;
  element.dataset.status = message.status;
  if (isNew || drawn.today !== today) drawTimes(element, message, before, today);
  if (isNew || message.status === "active") drawText($(".message__text", element), message, live);
  if (message.role === "user") {
    drawUserMessage(element, message, { waits, ...handlers });
    drawCare(element, care, handlers.onCare);
  } else {
    if (isNew) drawAnswer(element, message, before);
    if (isNew) drawThoughts(element, message);
    element.hidden = isUnheard(before);
  }
  drawState($(".state", element), message, { link, name });
}

function drawText(host, message, live) {
  if (message.role === "user") showPlain(host, message.text);
  else if (message.html === null) live.draw(host, message);
  else if (host.html !== message.html) showBlocks(host, blocksOf(message.html));
  host.html = message.html; // what was shown is not compared again
}

const isAbout = (care, { id, requestId }) =>
  Boolean(care) && (care.messageId ? care.messageId === id : care.requestId === requestId);
