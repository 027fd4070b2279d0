// Search among the conversations: by title at once, by what was written as soon as the server answers.

import { hasAll, termsOf } from "../../text/folding.js";
import { $ } from "../dom.js";

const TYPING_PAUSE = 250; // ms
const PAGE = 50; // conversations that are shown at a time

/**
 * Create the search. onFind(text, before) returns a promise of {threads, next}; onChange() draws them.
 */
export function createThreadSearch({ onFind, onChange }) {
  const field = $("#find");
  let search = null; // {wanted, threads, next, isPending, hasFailed}; `threads` is null before the first answer
  let timer = 0;

  /** Read on until a page is full: the server gives an answer after a second, however much there is to read. */
  async function read(mine) {
    const enough = (mine.threads?.length ?? 0) + PAGE;
    Object.assign(mine, { isPending: true, hasFailed: false });
    onChange();
    try {
      do {
        const { threads, next } = await onFind(mine.wanted, mine.next);
        if (mine !== search) return;
        Object.assign(mine, { threads: [...(mine.threads ?? []), ...newOf(mine.threads, threads)], next });
        onChange();
      } while (mine.next && mine.threads.length < enough);
    } catch {
      mine.hasFailed = true;
    }
    mine.isPending = false;
    if (mine === search) onChange();
  }

  function update() {
    const wanted = field.value.trim();
    if (wanted === (search?.wanted ?? "")) return;
    clearTimeout(timer);
    search = wanted ? { wanted, threads: null, next: null, isPending: true, hasFailed: false } : null;
    if (search) timer = setTimeout(read, TYPING_PAUSE, search);
    onChange();
  }

  field.addEventListener("input", update);
  queueMicrotask(update); // of what was written before this was loaded
  return {
    wanted: () => search?.wanted,
    /** Return what to show of `items`: {threads, isSearch, isPending, hasFailed, next}. */
    find: (items) => (search ? found(search, items) : { threads: items, isSearch: false }),
    /** Show more of what is found. */
    more: () => search.isPending || read(search),
    /** Search again, after a conversation was renamed or deleted. */
    again() {
      search = null;
      update();
    },
  };
}

function found(search, items) {
  const terms = termsOf(search.wanted);
  const threads = search.threads ?? items.filter(({ title }) => hasAll(title, terms));
  return { ...search, threads, isSearch: true };
}

/** A conversation that got a message meanwhile is at the top, also if it was found before. */
const newOf = (known, threads) => threads.filter(({ id }) => !known?.some((thread) => thread.id === id));
