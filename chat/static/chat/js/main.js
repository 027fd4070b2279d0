// Wires the page together: what is on screen follows the store, what is clicked goes to the session.

import { createAddress } from "./address.js";
import { announcer } from "./announce.js";
import { api } from "./api.js";
import { attachments } from "./attach.js";
import { banner } from "./banner.js";
import { reminder } from "./care.js";
import { callOf, companions } from "./companions.js";
import { composer } from "./composer.js";
import { $, copyText } from "./dom.js";
import { drawer, themeButton } from "./frame.js";
import { createEditing } from "./editing.js";
import { createFeedback } from "./feedback.js";
import { isRunning, isUnheard, topicOf } from "./messages.js";
import { noticeLine } from "./notice.js";
import { outbox } from "./outbox.js";
import { pickerView } from "./picker.js";
import { messageList } from "./render.js";
import { refusalSentence, tooLong, troubleSentence } from "./refusals.js";
import { createScreen } from "./screen.js";
import { createSession } from "./session.js";
import { shortcuts } from "./shortcuts.js";
import { createStore } from "./store.js";
import { threadList } from "./threads.js";
import { voice } from "./voice.js";
import { usageLine } from "./usage.js";

const store = createStore();
const announce = announcer();
const frame = drawer();
const session = createSession({
  store,
  onEvent(event) {
    if (event.usage) today.load();
    if (isOpenHere(event)) announce.event(event, callOf(store.state.view.companion));
    editing.heard(event);
    if (topicOf(event) === "audio") speaking?.heard(event);
  },
  onTrouble: (refusal, { shown }) => {
    if (shown) announce.say(`Not sent. ${refusalSentence(refusal)}`);
    else notice.tell(() => troubleSentence(refusal), { until: refusal.retryAt });
  },
  onThread: () => announce.say("Conversation loaded."),
});
const scroller = $("#content");
const today = usageLine();
const notice = noticeLine({ say: announce.say });
const editing = createEditing({ store, session, notice, restore: (text) => writing.restore(text) });
const rate = createFeedback({ store, notice, say: announce.say });
const messages = messageList({
  scroller,
  toLatest: $("#to-latest"),
  onEdit: editing.save,
  onClose: editing.close,
  onFocusLost: () => writing.focus(),
  onRender: session.render,
  onCare: (care) => store.dispatch({ type: "care", care }),
});
const address = createAddress({
  store,
  session,
  onLeave: () => messages.clear(),
  onArrive() {
    frame.close();
    writing.focus();
  },
});
const strip = banner({ onTryNow: session.connect, onStartAgain: startAgain, say: announce.say });
const picker = pickerView({
  companions,
  onChoose: (companion) => store.dispatch({ type: "view/companion", companion }),
  onPrompt: (text) => say(text),
});
const screen = createScreen({ scroller, picker, messages });
const threads = threadList({
  companions,
  onFind: async (q) => (await api.find(q)).threads,
  onOpen: (id) => address.navigate(`/t/${id}`),
  onMore: () => session.loadThreads({ before: store.state.threads.items.at(-1)?.id }),
  async onRename(id, title) {
    if (!(await attempt("The title could not be changed.", () => api.rename(id, title)))) return;
    store.dispatch({ type: "threads/renamed", id, title });
  },
  async onDelete(id) {
    if (!(await attempt("The conversation could not be deleted.", () => api.remove(id)))) return;
    store.dispatch({ type: "threads/deleted", id });
    if (store.state.view.threadId === id) address.navigate("/");
  },
});
const writing = composer({
  onSend: (text) => (attached.ready ? attached.send(text) : say(text)),
  onStop: stop,
  onTooLong: (text) => (attached.ready ? refuse(text) : attached.sendText(text)),
  mayBeEmpty: () => attached.ready,
});
const attached = attachments({
  view: () => store.state.view,
  notice,
  say: announce.say,
  restore: writing.restore,
  onAudio: $("#mic") && ((file) => speaking.takeFile(file)),
  onChange() {
    writing.fit();
    draw();
  },
  onSent(answer, isHere) {
    if (answer.notice) notice.tell(answer.notice);
    if (isHere) address.goTo(answer.threadId);
  },
});
const speaking =
  $("#mic") && voice({ view: () => store.state.view, session, say: announce.say, restore: writing.restore, onSent: address.goTo });

const isOpenHere = (event) => !event.threadId || event.threadId === store.state.view.threadId;
/** What can be stopped: not a reply to what has not been heard, which goes with the recording. */
const running = () => store.state.messages.filter((m, i, all) => isRunning(m) && !isUnheard(all[i - 1]));

const copy = async (text, button) => announce.say(`${await copyText(text, button)}.`);

/** True when the request worked; otherwise it is said, and seen, why not. */
async function attempt(trouble, request) {
  try {
    await request();
    return true;
  } catch (error) {
    announce.say(`${trouble} ${error.message}`);
    threads.explain(`${trouble} ${error.message}`);
    return false;
  }
}

const remind = reminder({ messages: +$("#app").dataset.remindMessages, minutes: +$("#app").dataset.remindMinutes }, () => ($("#reminder").hidden = false));

function say(text) {
  remind();
  notice.clear();
  session.say(text);
  writing.focus();
}

/** A question about a document is a message's length at most. */
function refuse(text) {
  writing.restore(text);
  notice.tell(tooLong([...text].length));
}

/** Stops what is being said; when nothing is, what was asked last. */
function stop() {
  const target = running().find((m) => m.status === "active") ?? running().at(-1);
  if (target?.jobId) session.cancel(target.jobId);
}

/** A new session begins with a new page; what the old one has not sent is found there. */
function startAgain() {
  if (!outbox.all().length) return location.reload();
  outbox.leaveThreads();
  return location.assign("/");
}

// --- drawing ------------------------------------------------------------------------------------------

function draw() {
  const { state } = store;
  const { view, link } = state;
  screen.draw(state);
  writing.draw({
    name: companions.get(view.companion)?.name,
    canStop: running().length > 0 && link.kind !== "ended",
    disabled: ["missing", "broken", "loading"].includes(view.kind),
  });
  threads.draw(state);
  strip.draw(link);
  speaking?.draw();
  notice.draw(state);
}

let drawing = 0;
store.watch(() => {
  // Many events may come in one frame; drawing once is enough.
  drawing ||= requestAnimationFrame(() => {
    drawing = 0;
    draw();
  });
});
// Countdowns, and words that are only said when something takes long.
setInterval(draw, 1000);

// --- clicks -------------------------------------------------------------------------------------------

const messageOf = (target) => store.state.messages.find((m) => m.key === target.closest("[data-key]")?.dataset.key);
const clicks = {
  new: () => address.navigate("/"),
  "close-reminder": () => {
    $("#reminder").hidden = true;
    writing.focus();
  },
  "close-drawer": () => frame.close(),
  shortcuts: () => keys.show(),
  "reload-thread": () => address.open(),
  cancel: (target) => session.cancel(messageOf(target).jobId),
  retry: (target) => session.retry(messageOf(target).jobId),
  edit: (target) => editing.open(messageOf(target)),
  "close-editor": (target) => editing.close(messageOf(target).key),
  withdraw: (target) => editing.withdraw(messageOf(target)),
  "ask-anew": (target) => editing.askAnew(messageOf(target)),
  resend: (target) => session.resend(messageOf(target).requestId),
  discard(target) {
    const message = messageOf(target);
    session.discard(message.requestId);
    writing.restore(message.text);
  },
  thumb: (target) => rate(target, () => messageOf(target)),
  copy: (target) => copy(messageOf(target).text, target),
  "copy-code": (target) => copy($("pre", target.parentElement).textContent, target),
};
document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-do]");
  const action = target && clicks[target.dataset.do];
  if (!action || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  action(target);
});
const keys = shortcuts({ frame, onStop: stop, onWrite: writing.focus });

themeButton();
address.open();
session.loadThreads();
session.connect();
today.load();
writing.focus();
