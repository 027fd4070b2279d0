// The scroll position of the conversation: it follows the end while the reader is there, and else stays.

import { $ } from "../dom.js";

const NEAR_END = 96; // px; a reader this close to the end stays at the end

/** Create the follower of `element`; onLatest(): load the end, of which an earlier part is shown. */
export function createFollower(element, onLatest) {
  const [scroller, toLatest] = [$("#content"), $("#to-latest")];
  let follows = true;
  let isPart = false; // the end of the conversation is not loaded
  let goesToEnd = false; // the reader has written something while an earlier part was shown
  const toEnd = () => (scroller.scrollTop = scroller.scrollHeight);

  function look() {
    const left = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
    follows = !isPart && left < NEAR_END;
    toLatest.hidden = follows || !element.isConnected;
  }

  scroller.addEventListener("scroll", look);
  toLatest.addEventListener("click", () => {
    if (isPart) onLatest();
    else toEnd();
    scroller.focus({ preventScroll: true });
  });
  return {
    scroller,
    follow() {
      follows = true;
      goesToEnd = isPart;
    },
    /** Remember where `anchor` is; call the result after something was added or removed above it. */
    hold(anchor) {
      const { bottom } = anchor.getBoundingClientRect(); // its date may go when an earlier message has it
      return () => {
        if (anchor.isConnected && !follows) scroller.scrollTop += anchor.getBoundingClientRect().bottom - bottom;
      };
    },
    update(later) {
      if (isPart !== later) {
        isPart = later;
        look();
        if (!later && goesToEnd) follows = true;
        goesToEnd &&= later;
      }
      if (follows) toEnd();
    },
    reset() {
      follows = true;
      isPart = false;
      goesToEnd = false;
      toLatest.hidden = true;
    },
  };
}
