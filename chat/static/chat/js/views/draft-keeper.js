// Keeps what is written in the composer with its conversation, and shows it wherever that is opened.

import { drafts, placeOf } from "../device/drafts.js";

/**
 * Create the keeper; call `follow(view)` with each change of the view.
 * onPlace(place): another draft is shown; onMove(from, to): a conversation has another place from now on;
 * onCarry(from, to): a text, perhaps with a file, has.
 */
export function createDraftKeeper({ composer, onPlace, onMove, onCarry }) {
  let place = null;
  const shown = new Set(); // places, the present one last
  let known = {}; // the view that was followed last

  function show() {
    composer.show(drafts.read(place).text);
    onPlace(place);
  }

  function move(from, to) {
    drafts.move(from, to);
    onMove(from, to);
    if (to === place) show();
  }

  // What another tab has written or sent; what is being composed with an input method is left alone.
  const refresh = (changed) => changed === place && show();
  drafts.watch(refresh);
  // The page may come out of the browser's cache after other pages have changed the draft.
  window.addEventListener("pageshow", ({ persisted }) => persisted && show());
  return {
    follow(view) {
      const next = placeOf(view);
      // A new conversation has got its first message, or its id.
      const isSame = view.kind === "thread" && view.draft && view.draft === known.draft;
      const isChoice = view.kind === "new" && known.kind === "new" && view.draft === known.draft;
      known = view;
      if (next === place) return;
      if (isSame) move(place, next);
      else if (isChoice) carry(place, next, onCarry);
      place = next;
      shown.delete(place);
      shown.add(place);
      drafts.reclaim(place);
      show();
    },
    write: (text) => place && drafts.change(place, { text }),
    /** Put text into the draft of a place: `at` is how, if the composer shows it. Return whether it does. */
    give(where, text, at = composer.restore) {
      if (text && where === place) at(text);
      else if (text) drafts.add(where, text);
      return where === place;
    },
    move,
    refresh,
    get place() {
      return place;
    },
    /** The places of all drafts that this page has shown. */
    get shown() {
      return [...shown];
    },
  };
}

/** Another companion was chosen for a new conversation: what is written comes along, unless something is there. */
function carry(from, to, onCarry) {
  const { recording, sending } = drafts.read(from);
  if (recording || sending || !drafts.isEmpty(to)) return;
  drafts.move(from, to);
  onCarry(from, to);
}
