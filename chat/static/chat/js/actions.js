// What the visitor can do on the page, and the buttons that do it.

import { drafts } from "./device/drafts.js";
import { api } from "./net/api.js";
import { isRunning, isUnheard } from "./state/messages.js";
import { tooLong } from "./text/error-messages.js";
import { CONNECTION } from "./text/wording.js";
import { $, copyText, isNewTab } from "./views/dom.js";

/** Create the actions; `page` holds the parts of the page, see main.js. */
export function createActions(page) {
  const remind = createRemind();
  /** Stop what is on its way from a conversation that the visitor has deleted; without a place, from all. */
  const forget = (place) => {
    page.attachments.forget(place);
    page.voice?.forget(place);
  };
  return {
    forget,
    running: () => runningOf(page.store.state),
    async startAgain() {
      await page.voice?.keep();
      (await handover())?.leaveWords(page);
      location.reload();
    },
    /** The session has ended. Loading the page again, or going away and back, is starting again, too. */
    async ended() {
      const { leaveWords } = (await handover()) ?? {};
      if (leaveWords) addEventListener("pagehide", () => leaveWords(page));
    },
    say(text) {
      remind();
      page.notice.clear();
      page.session.say(text);
      const { threadId, later } = page.store.state.view;
      if (later) page.router.show(threadId); // an old part is shown, and what was written belongs to the end
      page.composer.focus();
    },
    /** Give back a question about a document that is too long: it must fit into one message. */
    refuse(text) {
      page.composer.restore(text);
      page.notice.tell(tooLong([...text].length));
    },
    /** Stop the answer in progress; without one, the last that waits. */
    stop() {
      const running = runningOf(page.store.state);
      const target = running.find((m) => m.status === "active") ?? running.at(-1);
      if (target?.jobId) page.session.cancel(target.jobId);
    },
    async renameThread(id, title) {
      const isSaved = await attempt(page, "The title could not be changed.", () => api.rename(id, title));
      if (isSaved) page.store.dispatch({ type: "threads/renamed", id, title });
      return isSaved;
    },
    async deleteThread(id) {
      const remove = () => page.session.removeThread(id);
      if (!(await attempt(page, "The conversation could not be deleted.", remove))) return;
      forget(id);
      drafts.forget(id);
      if (page.store.state.view.threadId === id) page.router.toNew();
    },
  };
}

/** Return remind(), which counts a message for the reminder to take a break. What counts is loaded with the first. */
function createRemind() {
  const { remindMessages, remindMinutes } = $("#app").dataset;
  let loading = null;
  const load = () =>
    import("./views/care.js").then(({ createReminder }) =>
      createReminder({ messages: +remindMessages, minutes: +remindMinutes }, () => ($("#reminder").hidden = false)),
    );
  return () => {
    loading ??= load();
    loading.then(
      (count) => count(),
      () => (loading = null), // the connection was lost: the next message loads it
    );
  };
}

/** Load what leaves the words of this page to the next one; without a connection, return null. */
export const handover = () => import("./net/handover.js").catch(() => null);

/** Return what can be stopped; the reply to a recording without a transcript stops with the recording. */
const runningOf = ({ messages }) => messages.filter((m, i) => isRunning(m) && !isUnheard(messages[i - 1]));

/** Return whether the request worked; otherwise say and show why not. */
async function attempt({ say, threads }, trouble, request) {
  try {
    await request();
    return true;
  } catch (error) {
    say(`${trouble} ${error.message}`);
    threads.explain(`${trouble} ${error.message}`);
    return false;
  }
}

/** Connect each [data-do] of the page, except those of the list of conversations. */
export function connectClicks(page) {
  const clicks = clicksOf(page);
  document.addEventListener("click", (event) => {
    if (page.store.state.link.kind === "ended" && event.target.closest("[download]")) {
      event.preventDefault();
      return page.notice.tell(CONNECTION.ended());
    }
    const target = event.target.closest("[data-do]");
    const click = target && clicks[target.dataset.do];
    if (!click || isNewTab(event)) return null;
    event.preventDefault();
    return click(target);
  });
}

/** data-do -> what a click does. */
function clicksOf(page) {
  const { store, session, router, drawer, edits, composer, shortcuts, notice, say } = page;
  const messageOf = (target) => store.state.messages.find((m) => m.key === target.closest("[data-key]")?.dataset.key);
  const copy = async (text, button) => say(`${await copyText(text, button)}.`);
  return {
    new: router.toNew,
    "close-reminder"() {
      $("#reminder").hidden = true;
      composer.focus();
    },
    "close-drawer": drawer.close,
    shortcuts: () => shortcuts.show(),
    "reload-thread": () => router.open(),
    cancel: (target) => session.cancel(messageOf(target).jobId),
    retry: (target) => session.retry(messageOf(target).jobId),
    edit: (target) => edits.open(messageOf(target)),
    "edit-question": (target) => edits.openQuestion(messageOf(target)),
    "close-editor": (target) => edits.giveUp(messageOf(target)),
    "delete-message": (target) => edits.deleteMessage(messageOf(target)),
    regenerate: (target) => session.regenerate(messageOf(target)),
    version: async (target) => (await import("./views/messages/versions.js")).showVersion(page, target),
    resend: (target) => session.resend(messageOf(target).requestId),
    change(target) {
      const message = messageOf(target);
      session.discard(message.requestId);
      composer.restore(message.text);
    },
    discard(target) {
      const { requestId, text } = messageOf(target);
      session.discard(requestId);
      notice.tell("Message deleted.", { action: { label: "Restore text", run: () => composer.restore(text) } });
      composer.focus();
    },
    "reload-page": () => location.reload(),
    async thumb(target) {
      const feedback = await import("./views/messages/feedback.js").catch(() => null);
      if (feedback) feedback.pressThumb(target, () => messageOf(target), page);
      else notice.tell("Your feedback was not saved. There is no connection.");
    },
    copy: (target) => copy(messageOf(target).text, target),
    "copy-mine": (target) => copy(messageOf(target).text, target),
    "copy-code": (target) => copy($("pre", target.parentElement).textContent, target),
  };
}
