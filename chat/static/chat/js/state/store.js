// The page's state: one object, changed only by `reduce` and watched by the views.
//
// view.kind: `new` (the companion picker), `loading`, `thread` (a conversation, perhaps not yet known to the
// server), `missing` (deleted, or someone else's), `broken` (could not be loaded).

import { applyEdit } from "./message-edits.js";
import { applyEvent } from "./message-events.js";
import { fromOutbox, isOver, isRunning, knownBefore, merge, replace, topicOf, verbOf } from "./messages.js";
import { withNewest, withOlder } from "./thread-pages.js";

export const initialState = {
  // earlier, later: there are more messages in the conversation; target: the message to show first;
  // paging: `before` or `after` while more are loaded, `failed`, or null
  view: { kind: "new", threadId: null, draft: null, companion: null, title: "", earlier: false, later: false },
  messages: [],
  threads: { status: "loading", items: [], next: null }, // next: where the page after the items begins
  busy: {}, // jobId -> threadId of answers in progress, for the dots in the list
  link: { kind: "connecting", retryAt: null },
  care: null, // help lines, with the requestId or messageId of the message they belong to
  pressure: {}, // queue -> level, of queues that are not `normal`
};

const reducers = {
  "view/new": (state, { companion, draft }) => ({
    ...state,
    view: { ...initialState.view, draft, companion },
    messages: [],
    care: null,
  }),
  "view/companion": (state, { companion }) => ({ ...state, view: { ...state.view, companion } }),
  "view/loading": (state, { threadId }) => ({
    ...state,
    view: { ...initialState.view, kind: "loading", threadId, companion: state.view.companion },
    messages: [],
    care: null,
  }),
  "view/thread": (state, { thread, outbox, target = null }) => {
    const { companion, title, later } = thread;
    // After an earlier part there is a gap, also if a new message was written below it.
    const kept = thread.earlier && !later && !state.view.later ? knownBefore(thread.messages, state.messages) : [];
    const earlier = kept.length ? state.view.earlier : thread.earlier;
    return {
      ...state,
      view: { ...state.view, kind: "thread", companion, title, earlier, later, target, paging: null },
      messages: [...kept, ...merge(thread.messages, state.messages, later ? [] : outbox)],
      care: thread.care ?? state.care,
    };
  },
  "view/paging": (state, { paging }) => ({ ...state, view: { ...state.view, paging } }),
  "view/page": (state, { view, messages }) => ({ ...state, view: { ...state.view, ...view, paging: null }, messages }),
  "view/problem": (state, { kind }) => ({ ...state, view: { ...state.view, kind }, messages: [] }),

  "message/written": (state, { entry }) => ({
    ...state,
    view: { ...state.view, kind: "thread" },
    messages: [...state.messages.filter((m) => m.requestId !== entry.requestId), fromOutbox(entry)],
  }),
  "message/discarded": (state, { requestId }) => ({
    ...state,
    messages: state.messages.filter((m) => m.requestId !== requestId),
  }),
  "message/stopping": (state, { jobId, stopping }) =>
    changeMessages(state, (m) => m.jobId === jobId && isRunning(m), { stopping }),
  "message/not-stopping": (state) => changeMessages(state, (m) => m.stopping, { stopping: false }),
  /** edit: {status: `writing` | `saving` | `refused`, text?, refusal?}, or null when its editor closes. */
  "message/editing": (state, { key, edit }) => changeMessages(state, (m) => m.key === key, { edit }),
  /** feedback: {value: `up` | `down`, reason?, comment?}, or null. */
  "message/feedback": (state, { key, feedback }) => changeMessages(state, (m) => m.key === key, { feedback }),

  event: (state, { event }) =>
    topicOf(event) === "thread"
      ? { ...state, messages: applyEdit(state.messages, event) }
      : {
          ...state,
          view: adoptThread(state, event),
          messages: applyEvent(state.messages, event),
          busy: busyAfter(state.busy, event),
        },

  /** page: {items, next}; before: where it begins, null for the newest. */
  "threads/loaded": (state, { page, before }) => ({
    ...state,
    threads: {
      status: "ready",
      ...(before ? withOlder(state.threads, page, before) : withNewest(state.threads, page)),
    },
  }),
  "threads/failed": (state) => ({ ...state, threads: { ...state.threads, status: "failed" } }),
  "threads/renamed": (state, { id, title }) => ({
    ...state,
    view: state.view.threadId === id ? { ...state.view, title } : state.view,
    threads: {
      ...state.threads,
      items: replace(
        state.threads.items,
        (t) => t.id === id,
        () => ({ title }),
      ),
    },
  }),
  "threads/deleted": (state, { id }) => ({
    ...state,
    threads: { ...state.threads, items: state.threads.items.filter((t) => t.id !== id) },
  }),

  care: (state, { care }) => ({ ...state, care }),
  link: (state, { link }) => ({ ...state, link }),
  "pressure/unknown": (state) => ({ ...state, pressure: {} }),
  pressure: (state, { queue, level }) => ({ ...state, pressure: { ...state.pressure, [queue]: level } }),
};

const changeMessages = (state, matches, fields) => ({
  ...state,
  messages: replace(state.messages, matches, () => fields),
});

/** Return the view; a conversation without an id gets it with the `queued` of its first message. */
function adoptThread({ view, messages }, event) {
  const isNew = verbOf(event) === "queued" && view.kind === "thread" && !view.threadId && event.threadId;
  const isOurs = isNew && messages.some((m) => m.requestId === event.requestId);
  return isOurs ? { ...view, threadId: event.threadId } : view;
}

function busyAfter(busy, event) {
  if (!event.jobId || !event.threadId) return busy;
  const { [event.jobId]: known, ...others } = busy;
  if (isOver({ status: verbOf(event) })) return known ? others : busy;
  return known ? busy : { ...others, [event.jobId]: event.threadId };
}

export function reduce(state, action) {
  return reducers[action.type](state, action);
}

export function createStore() {
  let state = initialState;
  const watchers = [];
  return {
    get state() {
      return state;
    },
    watch: (watcher) => watchers.push(watcher),
    dispatch(action) {
      const before = state;
      state = reduce(state, action);
      if (state !== before) for (const watcher of watchers) watcher(state, before);
    },
  };
}
