// Wires the page together: the views show the store, what is clicked goes to the session.

import { connectClicks, createActions } from "./actions.js";
import { api } from "./net/api.js";
import { createSession } from "./net/session.js";
import { createRouter } from "./router.js";
import { createShortcuts } from "./shortcuts.js";
import { topicOf } from "./state/messages.js";
import { createStore } from "./state/store.js";
import { messageError, requestError } from "./text/error-messages.js";
import { deletedElsewhere } from "./text/wording.js";
import { createAttachments } from "./views/attachments.js";
import { companions, createCompanionPicker, longNameOf } from "./views/companion-picker.js";
import { createComposer } from "./views/composer.js";
import { createConnectionBanner } from "./views/connection-banner.js";
import { $ } from "./views/dom.js";
import { createDrawer, createThemeButton, createUsageLine } from "./views/layout.js";
import { createEditController } from "./views/messages/edit-controller.js";
import { createMessageList } from "./views/messages/message-list.js";
import { createPageView } from "./views/page-view.js";
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
page.session = createSession({ store, onEvent, onTrouble, onDeleted, onThread: () => say("Conversation loaded.") });
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
  onFind: async (q) => (await api.find(q)).threads,
  onOpen: page.router.toThread,
  onMore: () => page.session.loadThreads({ before: store.state.threads.items.at(-1)?.id }),
  onRename: actions.renameThread,
  onDelete: actions.deleteThread,
});
page.composer = createComposer({
  onSend: (text) => (page.attachments.isReady ? page.attachments.send(text) : actions.say(text)),
  onStop: actions.stop,
  onTooLong: (text) => (page.attachments.isReady ? actions.refuse(text) : page.attachments.sendText(text)),
  mayBeEmpty: () => page.attachments.isReady,
});
page.attachments = createAttachments({
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
page.shortcuts = createShortcuts({ drawer: page.drawer, onStop: actions.stop, onWrite: page.composer.focus });
const voiceLoaded = $("#mic") && loadVoice();
$("#mic")?.addEventListener("click", () => page.voice ?? voiceLoaded.then((voice) => voice.start()), { once: true });

/** Load what only voice messages need after the rest of the page, and again if the connection was lost. */
async function loadVoice() {
  const module = await import("./views/voice/voice.js").catch(() => null);
  if (!module) return new Promise((resolve) => setTimeout(() => resolve(loadVoice()), LOAD_AGAIN));
  page.voice = module.createVoice({ ...page, onSent: page.router.show });
  page.voice.draw();
  return page.voice;
}

function onEvent(event) {
  const { threadId, companion } = page.view();
  if (event.usage) usage.load();
  if (!event.threadId || event.threadId === threadId) screenReader.event(event, longNameOf(companion));
  page.edits.receive(event);
  if (topicOf(event) === "audio") page.voice?.receive(event);
}

function onTrouble(refusal, { shown }) {
  if (shown) say(`Not sent. ${messageError(refusal)}`);
  else page.notice.tell(() => requestError(refusal), { until: refusal.retryAt });
}

/** The open conversation was deleted elsewhere: go on in a new one, with what was not sent. */
function onDeleted(unsent) {
  const texts = [...unsent, $("#message").value].filter(Boolean);
  page.router.toNew();
  const missing = texts.filter((text) => !$("#message").value.includes(text));
  if (missing.length) page.restore(missing.join("\n\n"));
  page.notice.tell(deletedElsewhere(texts.length > 0));
}

function draw() {
  const { state } = store;
  pageView.draw(state);
  page.composer.draw({
    name: companions.get(state.view.companion)?.name,
    canStop: actions.running().length > 0 && state.link.kind !== "ended",
    disabled: ["missing", "broken", "loading", "erased"].includes(state.view.kind),
  });
  page.threads.draw(state);
  banner.draw(state.link);
  page.voice?.draw();
  page.notice.draw(state);
}

let isPlanned = false;
store.watch(() => {
  if (isPlanned) return; // many events may come within one frame; drawing once is enough
  isPlanned = true;
  requestAnimationFrame(() => {
    isPlanned = false;
    draw();
  });
});
setInterval(draw, 1000); // for countdowns, and for what is shown only after a while

connectClicks(page);
createThemeButton();
page.router.open();
page.session.loadThreads();
page.session.connect();
usage.load();
page.composer.focus();
