// The ends of what is loaded of a long conversation: more is loaded when the reader comes near, or by a button.
// Loaded for long conversations only.

import { HISTORY } from "../../text/history-wording.js";
import { $, clone, setText } from "../dom.js";
import { showFound } from "./found.js";

const NEAR = 1.5; // heights of the page

let ends = null; // {before, after}: what is shown at each end
let shown = null; // the view that was drawn last
let load = null;

/** Draw the ends for `view`; list: {element, scroll, onPage, say}; drawn: key -> {element, shown: {message}}. */
export function drawHistory(list, view, drawn) {
  const { element, scroll, say } = list;
  ends ??= createEnds(list);
  load = list.onPage;
  if (shown?.paging && !view.paging && shown.threadId === view.threadId) say(HISTORY.loaded);
  if (view.paging === "failed" && shown?.paging !== "failed") say(HISTORY.failed);
  const wasShown = shown;
  const isNew = view.target && (shown?.target !== view.target || shown.threadId !== view.threadId);
  shown = view;
  drawEnd(ends.before, view, { more: view.earlier, side: "before", isEnd: view.isPaged });
  drawEnd(ends.after, view, { more: view.later, side: "after", isEnd: false });
  if (isNew && view.kind === "thread") showTarget(view.target, drawn, scroll);
  // In the next frame the place is that of what is drawn now.
  if (view !== wasShown) requestAnimationFrame(() => element.isConnected && loadWhatIsNear(scroll.scroller));
}

function createEnds({ element, scroll }) {
  const [before, after] = [clone("history"), clone("history")];
  element.prepend(before);
  element.append(after);
  scroll.scroller.addEventListener("scroll", () => element.isConnected && loadWhatIsNear(scroll.scroller), {
    passive: true,
  });
  for (const [side, end] of Object.entries({ before, after })) {
    setText($("button", end), HISTORY[side]);
    $("button", end).addEventListener("click", () => shown?.paging === side || load(side));
  }
  return { before, after };
}

function drawEnd(end, { kind, paging }, { more, side, isEnd }) {
  const [button, note] = [$("button", end), $("p", end)];
  const hadFocus = document.activeElement === button;
  const isShown = kind === "thread" && more;
  setText(button, paging === side ? HISTORY.loading : HISTORY[side]);
  setText(note, paging === "failed" && isShown ? HISTORY.failed : isEnd && !more ? HISTORY.beginning : "");
  button.hidden = !isShown;
  end.hidden = !isShown && !note.textContent;
  if (hadFocus && button.hidden) note.focus({ preventScroll: true });
}

/** Load before the reader gets there, so that scrolling does not stop. */
function loadWhatIsNear({ scrollTop, scrollHeight, clientHeight }) {
  if (shown?.kind !== "thread" || shown.paging) return;
  const reach = NEAR * clientHeight;
  if (shown.earlier && scrollTop < reach) load("before");
  else if (shown.later && scrollHeight - scrollTop - clientHeight < reach) load("after");
}

/** Show the message that a search has found, to the eyes and to screen readers. */
function showTarget(id, drawn, scroll) {
  const entry = [...drawn.values()].find(({ shown }) => shown?.message.id === id);
  if (!entry) return;
  scroll.stay();
  showFound(entry.element, scroll.scroller, history.state?.query);
}

/** Forget what was shown: the same message may be wanted again. */
export function forget() {
  shown = null;
}
