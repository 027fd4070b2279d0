// What a search has found: the message is marked, and the words in it. Loaded with the first message to show.

import { placesOf, termsOf } from "../../text/folding.js";
import { $ } from "../dom.js";

const MARK = "found";

/** Mark a message and show it; `query`: the words that were searched, if they are known. */
export function showFound(element, scroller, query = "") {
  for (const other of document.querySelectorAll("[data-found]")) delete other.dataset.found;
  element.dataset.found = "";
  element.tabIndex = -1;
  element.scrollIntoView({ block: "center" });
  element.focus({ preventScroll: true });
  const ranges = rangesOf($(".message__text", element), termsOf(query));
  globalThis.CSS.highlights?.delete(MARK);
  if (!ranges.length) return;
  globalThis.CSS.highlights?.set(MARK, new globalThis.Highlight(...ranges));
  // A message can be longer than the screen: its words are what the visitor looks for.
  requestAnimationFrame(() => requestAnimationFrame(() => center(ranges[0], scroller)));
}

function center(range, scroller) {
  const box = scroller.getBoundingClientRect();
  const { top, bottom } = range.getBoundingClientRect();
  if (top < box.top || bottom > box.bottom) scroller.scrollTop += (top + bottom - box.top - box.bottom) / 2;
}

/** Return the ranges of the terms, which may go over the borders of elements, as "**two** words" does. */
function rangesOf(element, terms) {
  const nodes = [];
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let text = "";
  while (walker.nextNode()) {
    nodes.push({ node: walker.currentNode, start: text.length });
    text += walker.currentNode.data;
  }
  const pointAt = (place, isEnd) => {
    const { node, start } = nodes.findLast(({ start }) => (isEnd ? start < place : start <= place));
    return [node, place - start];
  };
  return placesOf(text, terms).map(([start, end]) => {
    const range = document.createRange();
    range.setStart(...pointAt(start, false));
    range.setEnd(...pointAt(end, true));
    return range;
  });
}
