// Wires the page together: the views show the store, what is clicked goes to the session.

import { connectClicks, createActions, handover } from "./actions.js";
import { drafts } from "./device/drafts.js";
import { keepsCookies, whatIsLeft } from "./device/storage.js";
import { keepFocus } from "./keys.js";
import { api } from "./net/api.js";
import { outbox } from "./net/outbox.js";
import { createSession } from "./net/session.js";
import { createRouter } from "./router.js";
import { createShortcuts } from "./shortcuts.js";
import { topicOf } from "./state/messages.js";
import { createStore } from "./state/store.js";
import { messageError, requestError } from "./text/error-messages.js";
import { HANDED_OVER } from "./text/wording.js";
import { companions, createCompanionPicker, longNameOf } from "./views/companion-picker.js";
import { createComposer } from "./views/composer.js";
import { createConnectionBanner } from "./views/connection-banner.js";
import { $ } from "./views/dom.js";
import { createDraftKeeper } from "./views/draft-keeper.js";
import { createFileIntake } from "./views/file-intake.js";
import { createDrawer, createThemeButton, createUsageLine } from "./views/layout.js";
import { createEditController } from "./views/messages/edit-controller.js";
import { createMessageList } from "./views/messages/message-list.js";
import { createPageView, isRemoved } from "./views/page-view.js";
import { createScreenReader } from "./views/screen-reader.js";
import { createStatusLine } from "./views/status-line.js";
import { createThreadList } from "./views/threads/thread-list.js";

const LOAD_AGAIN = 5000; // ms

const store = createStore();
const screenReader = createScreenReader();
const { say } = screenReader;
const usage = createUsageLine();

// The parts of the page. They use each other by `page.…`, which is complete before anything happens.
const page = {
  store,
  say,
  drawer: createDrawer(),
  notice: createStatusLine({ say }),
  view: () => store.state.view,
  restore: (text) => page.composer.restore(text),
};
const actions = createActions(page);
page.session = createSession({ store, onEvent, onTrouble, onDeleted, onSpent: usage.load, onThread });
page.edits = createEditController(page);
page.messages = createMessageList({
  onEdit: page.edits.save,
  onClose: page.edits.close,
  onFocusLost: () => page.composer.focus(),
  onRender: page.session.renderAnswer,
  onCare: (care) => store.dispatch({ type: "care", care }),
  onPage: page.session.loadPage,
  onLatest: () => page.router.show(store.state.view.threadId),
  say,
});
page.router = createRouter({
  ...page,
  onLeave: page.messages.clear,
  onEnd: page.messages.follow,
  onEnded: actions.startAgain,
  placeOf: page.messages.returnTo,
  onArrive() {
    page.drawer.close();
    page.composer.focus();
  },
});
const banner = createConnectionBanner({ onTryNow: page.session.connect, onStartAgain: actions.startAgain, say });
const pageView = createPageView({
  messages: page.messages,
  picker: createCompanionPicker({
    onChoose: (companion) => store.dispatch({ type: "view/companion", companion }),
    onPrompt: actions.say,
  }),
});
page.threads = createThreadList({
  onFind: api.find,
  onLeave() {
    page.drawer.close();
    page.composer.focus();
  },
  onOpen: page.router.toThread,
  onMore: () => page.session.loadThreads({ before: store.state.threads.next }),
  onRename: actions.renameThread,
  onDelete: actions.deleteThread,
});
page.composer = createComposer({
  onWrite: (text) => page.drafting.write(text),
  onSend: (text) => (page.attachments.isReady ? page.attachments.send(text) : actions.say(text)),
  onStop: actions.stop,
  onTooLong: (text) => (page.attachments.isReady ? actions.refuse(text) : page.attachments.sendText(text)),
  mayBeEmpty: () => page.attachments.isReady,
  loading: () => (store.state.view.kind === "loading" ? store.state.view.threadId : null),
});
page.drafting = createDraftKeeper({
  composer: page.composer,
  onPlace(place) {
    page.attachments.show(place);
    page.voice?.show(place);
  },
  onMove(from, to) {
    page.attachments.move(from, to);
    page.voice?.move(from, to);
  },
  onCarry: (from, to) => page.attachments.move(from, to),
});
page.attachments = createFileIntake({
  onAlone: actions.say,
  ...page,
  onAudio: $("#mic") && (async (file) => (await voiceLoaded).takeFile(file)),
  onChange() {
    page.composer.fit();
    draw();
  },
  onSent(answer, isHere) {
    if (answer.notice) page.notice.tell(answer.notice);
    if (isHere) page.router.show(answer.threadId);
  },
});
page.shortcuts = createShortcuts({ drawer: page.drawer, onStop: actions.stop, onWrite: page.composer.write });
const voiceLoaded = $("#mic") && loadVoice();
$("#mic")?.addEventListener("click", () => page.voice ?? voiceLoaded.then((voice) => voice.start()), { once: true });

/** Load what only voice messages need after the rest of the page, and again if the connection was lost. */
async function loadVoice() {
  const module = await import("./views/voice/voice.js").catch(() => null);
  if (!module) return new Promise((resolve) => setTimeout(() => resolve(loadVoice()), LOAD_AGAIN));
  page.voice = module.createVoice({
    ...page,
    insert: page.composer.insert,
    onSent: page.router.show,
    onOpen: (threadId, companion) => (threadId ? page.router.toThread(threadId) : page.router.toNewWith(companion)),
  });
  page.voice.draw();
  if (page.drafting.place) page.voice.show(page.drafting.place);
  return page.voice;
}

function onThread() {
  say("Conversation loaded.");
  page.edits.reopen();
}

/** before: the messages before those of them were deleted. */
function onEvent(event, before) {
  const { threadId, companion } = page.view();
  if (!event.threadId || event.threadId === threadId) screenReader.event(event, longNameOf(companion));
  page.edits.receive(event, before);
  if (topicOf(event) === "audio") page.voice?.receive(event);
}

function onTrouble(refusal, { shown }) {
  if (shown) say(`Not sent. ${messageError(refusal)}`);
  else page.notice.tell(() => requestError(refusal), { until: refusal.retryAt });
}

/** A conversation was deleted elsewhere: go on without it. */
async function onDeleted(deleted) {
  const { leaveDeleted } = await import("./views/deleted.js");
  leaveDeleted(page, deleted);
}

let printing = null; // of conversations only
function loadPrinting() {
  printing ??= import("./views/printing.js")
    .then(({ connectPrinting }) => connectPrinting({ store, draw }))
    .catch(() => (printing = null)); // the connection was lost: it is loaded with the next drawing
}

const draw = () => keepFocus(drawAll, page.composer.focus);

function drawAll() {
  const { state } = store;
  if (state.view.kind === "thread") loadPrinting();
  pageView.draw(state);
  page.composer.draw({
    name: companions.get(state.view.companion)?.name,
    canStop: actions.running().length > 0 && state.link.kind !== "ended",
    disabled: ["missing", "broken", "erased", "ended", "cookies"].includes(state.view.kind) || isRemoved(state.view),
    threadId: state.view.threadId,
  });
  page.threads.draw(state);
  banner.draw(state.link);
  page.voice?.draw();
  page.notice.draw(state);
}

let isPlanned = false;
store.watch(({ view, link }, before) => {
  if (link.kind === "ended" && before.link.kind !== link.kind) actions.ended();
  if (view.kind === "erased" && before.view.kind !== view.kind) actions.forget();
  if (view.companion || view.threadId) page.drafting.follow(view);
  if (isPlanned) return; // many events may come within one frame; drawing once is enough
  isPlanned = true;
  requestAnimationFrame(() => {
    isPlanned = false;
    draw();
  });
});
setInterval(draw, 1000); // for countdowns, and for what is shown only after a while

// A recording that is made, and what this browser stores nothing of, is lost with the page: ask before.
window.addEventListener("beforeunload", (event) => {
  const isUnkept = (outbox.all().length > 0 && !outbox.isKept()) || !drafts.isKept(page.drafting.place);
  if (page.voice?.isAtRisk() || isUnkept) event.preventDefault();
});

async function open() {
  const taken = await (whatIsLeft() && (await handover())?.takeOver());
  page.router.open(taken?.companion);
  if (taken?.hasWords) page.notice.tell(HANDED_OVER);
  page.session.loadThreads();
  page.session.connect();
  usage.load();
  page.composer.focus();
}

connectClicks(page);
createThemeButton();
if (keepsCookies()) open();
else store.dispatch({ type: "view/problem", kind: "cookies" });
