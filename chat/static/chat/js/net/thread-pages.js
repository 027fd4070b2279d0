// The pages of a long conversation besides its newest; loaded with the first of them.

import { fromRows } from "../state/messages.js";
import { api } from "./api.js";

/** Return the thread with all its messages down to the id `downTo`, one page after the other. */
export async function pagesDownTo(id, downTo) {
  let thread = await api.thread(id);
  while (downTo < thread.messages[0]?.id && thread.earlier) {
    const { messages, earlier } = await api.thread(id, { before: thread.messages[0].id });
    thread = { ...thread, earlier, messages: [...messages, ...thread.messages] };
  }
  return thread;
}

const edgeOf = (messages, side) => messages.filter(({ id }) => id).at(side === "before" ? 0 : -1)?.id;

/** Load the page `before` or `after` what is shown, and add it, unless that end has changed meanwhile. */
export async function addPage(store, side) {
  const { threadId } = store.state.view;
  const edge = edgeOf(store.state.messages, side);
  const page = await api.thread(threadId, { [side]: edge });
  const { view, messages } = store.state;
  if (view.threadId !== threadId) return;
  if (edgeOf(messages, side) !== edge) return store.dispatch({ type: "view/page", view: {}, messages });
  insert(store, side, edge, page);
}

/** The same at once; `request(threadId, place)` returns the page, or null. Return whether there was one. */
export function insertPage(store, side, request) {
  const { view, messages } = store.state;
  const edge = edgeOf(messages, side);
  const page = request(view.threadId, { [side]: edge });
  if (page) insert(store, side, edge, page);
  return Boolean(page);
}

function insert(store, side, edge, page) {
  const isBefore = side === "before";
  const { messages } = store.state;
  const index = messages.findIndex(({ id }) => id === edge) + (isBefore ? 0 : 1);
  store.dispatch({
    type: "view/page",
    view: isBefore ? { earlier: page.earlier, isPaged: true } : { later: page.later },
    messages: messages.toSpliced(index, 0, ...fromRows(page.messages)),
  });
}
