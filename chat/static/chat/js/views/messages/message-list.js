// The open conversation: one element per message, kept and changed in place. They stand in batches, so that the
// browser can leave out what is not in view: one by one, thousands of them would cost time in each frame.

import { isOver, isUnheard, isWaiting, waitingAnswers } from "../../state/messages.js";
import { drawCare } from "../care.js";
import { companions, nameOf } from "../companion-picker.js";
import { $, clone, create, fill, setText } from "../dom.js";
import { createFollower } from "./follower.js";
import { drawState } from "./message-state.js";
import { drawUserMessage } from "./user-message.js";

const BATCH = 40; // messages
const LIVE_BATCH = 10; // messages of one to which new ones are added: with each piece of an answer all of it is laid out
const SCREENFUL = 10; // messages that are drawn first

/**
 * Create the list; `draw(state, name)` shows the messages, `clear()` removes them, `follow()` goes to their end,
 * `returnTo(threadId)` goes to where the reader was before.
 * onRender(jobId, {run, offset}): ask for the Markdown of an answer in progress; onPage(side): load the page
 * `before` or `after` what is shown; onLatest(): load the end.
 */
export function createMessageList({ onRender, onPage, onLatest, say, ...handlers }) {
  const element = create("div");
  const host = element.appendChild(create("div", { className: "batches" }));
  const scroll = createFollower(element, onLatest);
  const drawn = new Map(); // key -> {element, shown}
  const list = { element: host, handlers, scroll, drawn, messages: [], context: null, parts: null, places: null };
  let history = null; // of long conversations only
  let parts = null;
  function prepare() {
    parts ??= loadParts(list, onRender).then(
      () => element.isConnected && draw(...list.last),
      () => (parts = null), // the connection was lost: they are loaded with the next drawing
    );
  }
  function draw(state, name) {
    prepare();
    list.last = [state, name];
    if (isOpening(list, state)) {
      drawMessages(list, { ...state, messages: state.messages.slice(-SCREENFUL) }, name);
      return requestAnimationFrame(() => element.isConnected && draw(...list.last));
    }
    drawMessages(list, state, name);
    if (!list.parts) return null; // nothing has its height yet
    list.places.show();
    const { earlier, later, target, isPaged } = state.view;
    if (earlier || later || target || isPaged) history ??= import("./history.js").catch(() => null);
    history?.then((module) => {
      if (module) module.drawHistory({ element, scroll, onPage, say }, state.view, drawn);
      else history = null; // as above
    });
  }
  return {
    element,
    draw,
    follow: scroll.follow,
    returnTo(threadId) {
      prepare();
      return list.places?.returnTo(threadId);
    },
    clear() {
      if (element.isConnected) list.places?.leave(list.last[0].view.threadId);
      host.replaceChildren();
      drawn.clear();
      list.messages = [];
      scroll.reset();
      history?.then((module) => module?.forget());
    },
  };
}

/** Whether the end of a conversation is to be seen at once, and what is above it with the next frame. */
const isOpening = ({ drawn, places }, { messages, view }) =>
  !drawn.size && messages.length > SCREENFUL && !view.later && !view.target && !places?.isWanted();

/** What a conversation needs and the start of the page does not. */
async function loadParts(list, onRender) {
  const [{ createLiveAnswer }, { drawAnswer }, { drawTimes }, { createPlaces }, { drawVersions }] = await Promise.all([
    import("./live-answer.js"),
    import("./answer-tools.js"),
    import("./days.js"),
    import("./places.js"),
    import("./versions.js"),
  ]);
  list.places = createPlaces(list);
  list.parts = { live: createLiveAnswer(onRender), drawAnswer, drawTimes, drawVersions };
  for (const entry of list.drawn.values()) entry.shown = null;
  list.context = null;
}

function drawMessages(list, state, name) {
  const { element, drawn, handlers, scroll } = list;
  const { messages, view, link, care } = state;
  scroll.look(); // before something changes: from here on only the reader can have moved
  const hadFocus = element.contains(document.activeElement);
  const first = firstIn(element.firstElementChild);
  const keepPlace = first && first.dataset.key !== messages[0]?.key ? scroll.hold(first) : null;
  const waiting = waitingAnswers(messages);
  const today = new Date().toDateString();
  const context = { care, link, name, today, waiting: waiting.map(({ jobId }) => jobId).join() };
  // With each piece of an answer one message changes: the others are passed over as fast as possible.
  const known = arrange(list, messages, view.companion) && isSame(context, list.context) ? list.messages : [];
  messages.forEach((message, index) => {
    const before = messages[index - 1];
    if (message === known[index] && before === known[index - 1] && isStill(message)) return;
    const about = isAbout(care, message) ? care : null;
    const waits = message.role === "user" && isWaiting(message, waiting);
    const shown = { message, before, care: about, waits, link, name, today };
    const entry = drawn.get(message.key);
    if (isStill(message) && isSame(shown, entry.shown)) return;
    drawEntry(list, entry, shown);
    entry.shown = shown;
  });
  Object.assign(list, { messages, context });
  if (hadFocus && !element.contains(document.activeElement)) handlers.onFocusLost();
  keepPlace?.();
  scroll.update(messages, view.later);
}

/** Put an element for each message into its place; return whether all were there. */
function arrange(list, messages, companion) {
  const { element, drawn, messages: known } = list;
  if (messages.length === known.length && messages.every(({ key }, index) => key === known[index].key)) return true;
  removeOthers(drawn, new Set(messages.map(({ key }) => key)));
  let last = null;
  for (const message of messages) {
    const entry = drawn.get(message.key) ?? createEntry(list, message, companion);
    last = placeAfter(element, last, entry.element);
  }
  return false;
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
  const room = batch?.dataset.settled === undefined ? BATCH : LIVE_BATCH;
  if (last && (last.nextElementSibling || batch.children.length < room)) last.after(element);
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
  const element = message.role === "user" ? clone("user-message") : createReply(companion);
  element.dataset.key = message.key;
  const entry = { element, shown: null };
  drawn.set(message.key, entry);
  if (message.status === "unsent") scroll.follow(); // the visitor has just written it
  return entry;
}

function createReply(companion) {
  if (companions.has(companion)) return clone(`reply-${companion}`);
  const element = clone("reply-removed");
  element.ariaLabel = `${nameOf(companion)}, AI companion`;
  fill(element, { name: nameOf(companion) });
  return element;
}

function drawEntry(
  { parts, handlers },
  { element, shown: drawn },
  { message, before, care, waits, link, name, today },
) {
  const isNew = drawn?.message !== message || drawn.before !== before;
  element.dataset.status = message.status;
  if (isNew || message.status === "active") drawText($(".message__text", element), message, parts?.live);
  if (isNew) parts?.drawVersions(element, message);
  if (isNew || drawn.today !== today) parts?.drawTimes(element, message, before, today);
  if (message.role === "user") {
    drawUserMessage(element, message, { waits, ...handlers });
    drawCare(element, care, handlers.onCare);
  } else {
    if (isNew) parts?.drawAnswer(element, message, before);
    if (isNew) drawThoughts(element, message);
    element.hidden = isUnheard(before);
  }
  drawState($(".state", element), message, { link, name, question: before });
}

function drawText(host, message, live) {
  if (message.role === "user") setText(host, message.text);
  else live?.draw(host, message);
}

/** Few answers have thoughts: their module is loaded with the first. */
function drawThoughts(element, message) {
  $(".thoughts", element).hidden = !message.thought;
  if (message.thought)
    import("./thoughts.js").then(
      (thoughts) => thoughts.drawThoughts(element, message),
      () => null,
    );
}

const isAbout = (care, { id, requestId }) =>
  Boolean(care) && (care.messageId ? care.messageId === id : care.requestId === requestId);
