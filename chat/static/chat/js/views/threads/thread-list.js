// The list of conversations: find, open, rename, delete.

import { dayText, THREADS } from "../../text/wording.js";
import { $, confirmWith, isNewTab, placeAt, setText } from "../dom.js";
import { createDay, createRow, drawRow, renameInPlace, titleOf, toggleActions } from "./thread-row.js";
import { createThreadSearch } from "./thread-search.js";

/**
 * Create the list; `draw(state)` shows it, `explain(text)` shows what went wrong until it is loaded again.
 * onRename(id, title) and onDelete(id) return promises; onFind(text) returns a promise of the matches.
 */
export function createThreadList({ onFind, onMore, onLeave, ...handlers }) {
  const list = { ...handlers, element: $("#threads"), state: null, trouble: null };
  list.search = createThreadSearch({ onFind, onLeave, onChange: () => drawThreads(list) });
  list.element.addEventListener("click", (event) => {
    const target = event.target.closest("[data-do]");
    if (target) clicks[target.dataset.do]?.(list, target.closest(".thread"), event);
  });
  $("#threads-more").addEventListener("click", onMore);
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

function drawThreads(list) {
  if (!list.state) return;
  const { element, state, search, trouble } = list;
  const { status, items, more } = state.threads;
  const found = search.find(items);
  $("#threads-loading").hidden = status !== "loading";
  $("#threads-more").hidden = !more || found.isSearch;
  placeRows(element, rowsOf(element, found, state));
  const note = $("#threads-note");
  setText(note, trouble?.items === items ? trouble.text : noteFor(status, items, found));
  note.hidden = !note.textContent;
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
  if (isPending && status === "ready") return hasFailed ? THREADS.searchFailed : THREADS.searching;
  if (status === "failed") return THREADS.failed;
  if (status === "loading" || threads.length) return "";
  return items.length ? THREADS.noMatch : THREADS.none;
}

/** data-do -> what a click in a row does. */
const clicks = {
  "open-thread"({ onOpen }, row, event) {
    if (isNewTab(event)) return;
    event.preventDefault();
    onOpen(row.dataset.id, row.dataset.message);
  },
  "thread-more": (_, row) => toggleActions(row),
  "rename-thread"({ onRename, search }, row) {
    renameInPlace(row, (title) => onRename(row.dataset.id, title).then(search.again));
  },
  "delete-thread"({ onDelete, search }, row) {
    toggleActions(row);
    const dialog = $("#confirm-delete");
    setText($("[data-slot=title]", dialog), `“${titleOf(row)}”`);
    confirmWith(dialog, () => onDelete(row.dataset.id).then(search.again));
  },
};
