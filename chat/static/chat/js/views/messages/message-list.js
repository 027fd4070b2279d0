// The open conversation: one element per message, kept and changed in place.

import { isUnheard, isWaiting } from "../../state/messages.js";
import { drawCare } from "../care.js";
import { $, clone, create, placeAt } from "../dom.js";
import { drawAnswer } from "./answer-tools.js";
import { blocksOf, showBlocks, showPlain } from "./html-patch.js";
import { createLiveAnswer } from "./live-answer.js";
import { drawState } from "./message-state.js";
import { drawThoughts } from "./thoughts.js";
import { drawUserMessage } from "./user-message.js";

const NEAR_END = 96; // px; a reader this close to the end stays at the end

/**
 * Create the list; `draw(state, name)` shows the messages, `clear()` removes them.
 * onRender(jobId, {run, offset}): ask for the Markdown of an answer in progress.
 */
export function createMessageList({ onRender, ...handlers }) {
  const element = create("div", { className: "messages" });
  const scroll = createFollower(element);
  const list = { element, handlers, scroll, drawn: new Map(), live: createLiveAnswer(onRender) }; // key -> {element, message}
  return {
    element,
    draw: (state, name) => drawMessages(list, state, name),
    clear() {
      element.replaceChildren();
      list.drawn.clear();
      scroll.reset();
    },
  };
}

/** Keep the end in view while the reader is there; otherwise offer a button that leads there. */
function createFollower(element) {
  const [scroller, toLatest] = [$("#content"), $("#to-latest")];
  let follows = true;
  const toEnd = () => (scroller.scrollTop = scroller.scrollHeight);
  scroller.addEventListener("scroll", () => {
    follows = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END;
    toLatest.hidden = follows || !element.isConnected;
  });
  toLatest.addEventListener("click", () => {
    toEnd();
    scroller.focus({ preventScroll: true });
  });
  return {
    follow: () => (follows = true),
    update: () => follows && toEnd(),
    reset() {
      follows = true;
      toLatest.hidden = true;
    },
  };
}

function drawMessages(list, state, name) {
  const { element, drawn, handlers, scroll } = list;
  const hadFocus = element.contains(document.activeElement);
  removeOthers(drawn, new Set(state.messages.map(({ key }) => key)));
  state.messages.forEach((message, index) => {
    const entry = drawn.get(message.key) ?? createEntry(list, message, state.view.companion);
    placeAt(element, entry.element, index);
    drawEntry(list, entry, message, state, index);
    drawState($(".state", entry.element), message, { link: state.link, name });
    entry.message = message;
  });
  if (hadFocus && !element.contains(document.activeElement)) handlers.onFocusLost();
  scroll.update();
}

function removeOthers(drawn, keys) {
  for (const [key, { element }] of drawn) {
    if (keys.has(key)) continue;
    element.remove();
    drawn.delete(key);
  }
}

function createEntry({ drawn, scroll }, message, companion) {
  const element = clone(message.role === "user" ? "user-message" : `reply-${companion}`);
  element.dataset.key = message.key;
  const entry = { element, message: null };
  drawn.set(message.key, entry);
  if (message.role === "user") scroll.follow();
  return entry;
}

function drawEntry({ live, handlers }, { element, message: drawn }, message, state, index) {
  const before = state.messages[index - 1];
  const isNew = drawn !== message;
  element.dataset.status = message.status;
  if (isNew || message.status === "active") drawText($(".message__text", element), message, live);
  if (message.role === "user") {
    drawUserMessage(element, message, { waits: isWaiting(state.messages, message), ...handlers });
    drawCare(element, isAbout(state.care, message) ? state.care : null, handlers.onCare);
  } else {
    if (isNew) drawAnswer(element, message, before);
    if (isNew) drawThoughts(element, message);
    element.hidden = isUnheard(before);
  }
}

function drawText(host, message, live) {
  if (message.role === "user") showPlain(host, message.text);
  else if (message.html === null) live.draw(host, message);
  else if (host.html !== message.html) showBlocks(host, blocksOf(message.html));
  host.html = message.html; // what was shown is not compared again
}

const isAbout = (care, { id, requestId }) =>
  Boolean(care) && (care.messageId ? care.messageId === id : care.requestId === requestId);
