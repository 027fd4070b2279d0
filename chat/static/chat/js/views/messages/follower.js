// The scroll position of the conversation. It belongs to the reader: the end is followed only while the reader is
// there, and else the place stays.

import { latestText } from "../../text/wording.js";
import { $, setText } from "../dom.js";
import { watchReader } from "./reader-moves.js";

/** Create the follower of `element`; onLatest(): load the end, of which an earlier part is shown. */
export function createFollower(element, onLatest) {
  const scroller = $("#content");
  let follows = true;
  let isPart = false; // the end of the conversation is not loaded
  let goesToEnd = false; // the reader has written something while an earlier part was shown
  let messages = [];
  let seen = null; // the last message when following stopped: what is below it is new
  const reader = watchReader(scroller, element, set);
  const show = createButton(scroller, () => (isPart ? onLatest() : toEnd()));

  function set(value) {
    if (follows && !value) seen = messages.at(-1);
    follows = value && !isPart;
    draw();
  }
  const isAway = () => !follows && element.isConnected && (isPart || canScroll(scroller));
  const draw = () => show(isAway(), isPart ? {} : newsBelow(messages, seen));

  function toEnd() {
    scroller.scrollTop = scroller.scrollHeight;
    reader.settle();
    if (!follows) set(true);
  }

  // Between layout and painting: following what has grown needs no layout of its own.
  const look = () => element.isConnected && (follows ? toEnd() : draw());
  for (const box of [scroller, element]) new ResizeObserver(look).observe(box);

  return {
    scroller,
    look: reader.look,
    isFollowing: () => follows,
    stay: () => set(false),
    follow() {
      set(true);
      goesToEnd = isPart;
    },
    /** Return a function that brings the end of `anchor` to `bottom`, where it is now, if the end is not followed. */
    hold(anchor, bottom = anchor.getBoundingClientRect().bottom) {
      // Not its beginning: its date may go when an earlier message has it.
      return () => {
        if (anchor.isConnected && !follows) scroller.scrollTop += anchor.getBoundingClientRect().bottom - bottom;
      };
    },
    /** Note what is shown: `messages`, and whether there are `later` ones. */
    update(shown, later) {
      messages = shown;
      if (isPart !== later) {
        isPart = later;
        follows = later ? false : follows || goesToEnd;
        goesToEnd &&= later;
        if (follows) toEnd();
      }
      draw();
    },
    reset() {
      [follows, isPart, goesToEnd, messages, seen] = [true, false, false, [], null];
      draw();
    },
  };
}

const canScroll = (box) => box.scrollHeight - box.clientHeight >= 1;

/** Create the button that leads to the end; return show(isShown, news). */
function createButton(scroller, onPress) {
  const button = $("#to-latest");
  button.addEventListener("click", () => {
    getSelection().empty(); // it would hold on to its place
    scroller.focus({ preventScroll: true });
    onPress();
  });
  return (isShown, news) => {
    button.hidden = !isShown;
    if (isShown) setText(button, latestText(news));
  };
}

/** Return what came after the message `seen`: the {count} of messages, or whether it {goesOn}. */
function newsBelow(messages, seen) {
  const index = messages.findLastIndex(({ key }) => key === seen?.key);
  const count = index < 0 ? 0 : messages.length - 1 - index;
  return { count, goesOn: !count && index >= 0 && messages[index].text !== seen.text };
}
