// The list of conversations: find, open, rename, delete.

import { dayText, THREADS } from "../../text/wording.js";
import { $, confirmWith, isNewTab, placeAt, setText } from "../dom.js";
import { createDay, createRow, drawRow, renameInPlace, titleOf, toggleActions } from "./thread-row.js";

/**
 * Create the list; `draw(state)` shows it, `explain(text)` shows what went wrong until it is loaded again.
 * onRename(id, title) and onDelete(id) return promises; onFind(text) returns a promise of the matches.
 */
export function createThreadList({ onFind, onMore, onLeave, ...handlers }) {
  const list = { ...handlers, element: $("#threads"), state: null, trouble: null };
  list.search = NO_SEARCH;
  loadSearchWhenWanted(list, { onFind, onLeave, onChange: () => drawThreads(list) });
  list.element.addEventListener("click", (event) => {
    const target = event.target.closest("[data-do]");
    if (target) clicks[target.dataset.do]?.(list, target.closest(".thread"), event);
  });
  $("#threads-more").addEventListener("click", () => (list.search.wanted() ? list.search.more() : onMore()));
  return {
    draw(state) {
      list.state = state;
      drawThreads(list);
    },
    explain(text) {
      list.trouble = { text, items: list.state?.threads.items };
      drawThreads(list);
    },
  };
}

/** Nothing is searched before the search is loaded. */
const NO_SEARCH = { wanted: () => "", find: (threads) => ({ threads, isSearch: false }), again() {} };

/** Load the search when its field gets the focus; without a connection, again with the next letter. */
function loadSearchWhenWanted(list, handlers) {
  const load = () =>
    import("./thread-search.js").then(
      ({ createThreadSearch }) => (list.search = createThreadSearch(handlers)),
      () => $("#find").addEventListener("input", load, { once: true }),
    );
  const field = $("#find");
  field.addEventListener("focus", load, { once: true });
  field.addEventListener("dismiss", () => {
    if (!field.value) return handlers.onLeave();
    field.select();
    return document.execCommand("delete"); // as the visitor would, who can undo it
  });
}

function drawThreads(list) {
  if (!list.state) return;
  const { element, state, search, trouble } = list;
  const { status, items } = state.threads;
  const found = search.find(items);
  $("#threads-loading").hidden = status !== "loading";
  placeRows(element, rowsOf(element, found, state));
  drawMore(element, found.isSearch ? found.next && !found.isPending : state.threads.next);
  const note = $("#threads-note");
  setText(note, trouble?.items === items ? trouble.text : noteFor(status, items, found));
  note.hidden = !note.textContent;
}

/** Show the button for older conversations; with the last of them the focus goes on to the list. */
function drawMore(element, isShown) {
  const more = $("#threads-more");
  const hadFocus = document.activeElement === more;
  more.hidden = !isShown;
  if (hadFocus && more.hidden) $(".thread:last-child .thread__link", element)?.focus({ preventScroll: true });
}

function rowsOf(element, { threads, isSearch }, { busy, view }) {
  const existing = new Map([...element.children].map((row) => [row.dataset.id, row]));
  const busyThreads = new Set(Object.values(busy));
  const rows = new Set();
  for (const thread of threads) {
    const day = dayText(thread.updatedAt);
    if (!isSearch) rows.add(existing.get(day) ?? addTo(existing, createDay(day))); // matches have another order
    const row = existing.get(thread.id) ?? createRow(thread);
    drawRow(row, thread, { isCurrent: view.threadId === thread.id, isBusy: busyThreads.has(thread.id) });
    rows.add(row);
  }
  return [...rows];
}

function addTo(existing, row) {
  existing.set(row.dataset.id, row);
  return row;
}

function placeRows(element, rows) {
  const links = () => [...element.querySelectorAll(".thread__link")];
  const focused = links().findIndex((link) => link.closest(".thread").contains(document.activeElement));
  for (const [index, row] of rows.entries()) placeAt(element, row, index);
  while (element.children.length > rows.length) element.lastElementChild.remove();
  // The row that had the focus is gone: the next one gets it.
  if (focused >= 0 && !element.contains(document.activeElement)) (links()[focused] ?? links().at(-1))?.focus();
}

function noteFor(status, items, { threads, isPending, hasFailed }) {
  if (hasFailed) return THREADS.searchFailed;
  if (isPending && status === "ready") return threads.length ? THREADS.searchingOn : THREADS.searching;
  if (status === "failed") return THREADS.failed;
  if (status === "loading" || threads.length) return "";
  return items.length ? THREADS.noMatch : THREADS.none;
}

/** data-do -> what a click in a row does. */
const clicks = {
  "open-thread"({ onOpen, search }, row, event) {
    if (isNewTab(event)) return;
    event.preventDefault();
    onOpen(row.dataset.id, row.dataset.message, search.wanted());
  },
  "thread-more": (_, row) => toggleActions(row),
  "rename-thread"({ onRename, search }, row) {
    toggleActions(row);
    renameInPlace(row, async (title) => {
      const isSaved = await onRename(row.dataset.id, title);
      if (isSaved) search.again();
      return isSaved;
    });
  },
  "delete-thread"({ onDelete, search }, row) {
    toggleActions(row);
    const dialog = $("#confirm-delete");
    setText($("[data-slot=title]", dialog), `“${titleOf(row)}”`);
    confirmWith(dialog, () => onDelete(row.dataset.id).then(search.again));
  },
};
