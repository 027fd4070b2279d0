// What the reader of a conversation does: moves up, moves down to the end, or holds on to something.

const UP = new Set(["ArrowUp", "PageUp", "Home"]);

/** Where `scroller` is, where it would be at the end, and its size. */
const placeOf = (scroller) => ({
  top: scroller.scrollTop,
  most: scroller.scrollHeight - scroller.clientHeight,
  size: `${scroller.clientWidth} ${scroller.clientHeight}`,
});

const isAtEnd = ({ top, most }) => most - top < 1;

/**
 * Watch the reader: onMove(false) for any movement up, onMove(true) for one to the end. Return look(), which sees
 * whether the reader has moved, and settle(), for a movement that was not the reader's.
 */
export function watchReader(scroller, element, onMove) {
  let last = { top: 0, most: 0, size: "" };
  const settle = () => (last = placeOf(scroller));

  function look() {
    const before = last;
    const { top, most, size } = settle();
    if (size !== before.size) return; // the browser keeps what is seen in its place, in a window of another size
    // What gets shorter moves the place, too, but then the end is shown.
    if (top < before.top && most - top > (most < before.most ? 1.5 : 0)) onMove(false);
    else if (top > before.top && isAtEnd(last)) onMove(true);
  }

  scroller.addEventListener("scroll", look, { passive: true });
  watchIntents(scroller, () => onMove(false));
  watchHands(scroller, element, onMove);
  return { look, settle };
}

/** The browser starts some movements a few frames later. What follows the end meanwhile would stop them. */
function watchIntents(scroller, onUp) {
  const up = (target) => scroller.scrollTop > 0 && !scrollsBefore(target, scroller) && onUp();
  scroller.addEventListener(
    "wheel",
    ({ target, deltaX, deltaY, ctrlKey }) => -deltaY > Math.abs(deltaX) && !ctrlKey && up(target),
    { passive: true },
  );
  scroller.addEventListener("keydown", ({ target, key, shiftKey }) => {
    const isUp = UP.has(key) || (key === " " && shiftKey);
    if (isUp && !target.closest("input, textarea")) up(target);
  });
}

/** What is selected or has the keyboard's focus stays where it is until it is left. */
function watchHands(scroller, element, onMove) {
  let isHeld = false;

  function look() {
    const { isCollapsed, anchorNode } = getSelection();
    const wasHeld = isHeld;
    isHeld = (!isCollapsed && element.contains(anchorNode)) || hasFocus(element);
    if (isHeld) onMove(false);
    else if (wasHeld && isAtEnd(placeOf(scroller))) onMove(true);
  }

  document.addEventListener("selectionchange", look);
  for (const type of ["focusin", "focusout"]) element.addEventListener(type, () => queueMicrotask(look));
}

/** The focus on a button of a state, such as "Cancel", holds nothing: it goes with the state. */
function hasFocus(element) {
  const { activeElement: focused } = document;
  return element.contains(focused) && focused.matches(":focus-visible") && !focused.closest(".state");
}

/** Return whether something inside of the conversation would scroll up first, such as the thoughts. */
function scrollsBefore(target, scroller) {
  for (let box = target; box && box !== scroller; box = box.parentElement) if (box.scrollTop > 0) return true;
  return false;
}
