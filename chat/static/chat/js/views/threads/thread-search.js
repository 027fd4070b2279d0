// Search among the conversations: by title at once, by what was written as soon as the server answers.

import { $ } from "../dom.js";

const TYPING_PAUSE = 250; // ms

/** Create the search. onFind(text) returns a promise of matches; onChange() draws them; onLeave(): Escape in the empty field. */
export function createThreadSearch({ onFind, onChange, onLeave }) {
  const field = $("#find");
  let result = { wanted: "", threads: null }; // what the server found for `wanted`; null if it failed
  let timer = 0;
  const wantedNow = () => field.value.trim().toLocaleLowerCase();

  async function ask(wanted) {
    const threads = await onFind(wanted).catch(() => null);
    if (wantedNow() === wanted) result = { wanted, threads };
    onChange();
  }

  function update() {
    const wanted = wantedNow();
    clearTimeout(timer);
    if (wanted && wanted !== result.wanted) timer = setTimeout(() => ask(wanted), TYPING_PAUSE);
    onChange();
  }

  field.addEventListener("input", update);
  field.addEventListener("dismiss", () => {
    if (!field.value) return onLeave();
    field.value = "";
    return update();
  });
  return {
    /** Return what to show of `items`: {threads, isSearch, isPending, hasFailed}. */
    find(items) {
      const wanted = wantedNow();
      const isAnswered = Boolean(wanted) && result.wanted === wanted;
      const answer = isAnswered ? result.threads : null;
      const threads = answer ?? items.filter(({ title }) => title.toLocaleLowerCase().includes(wanted));
      return {
        threads,
        isSearch: Boolean(wanted),
        isPending: Boolean(wanted) && !answer,
        hasFailed: isAnswered && !answer,
      };
    },
    /** Search again, after a conversation was renamed or deleted. */
    again() {
      result.wanted = "";
      update();
    },
  };
}
