// Markdown that the server has rendered, in the page. What has not changed is left alone: a selection in
// it, its scroll position, the label of its button.

import { morphChildren, patchText } from "../../../../queueing/morph.js";
import { clone, create } from "../dom.js";

/** A button may show "Copied", and may have the focus. */
const keeps = ({ nodeName }) => nodeName === "BUTTON";

/** Show `text` as it is. */
export function showPlain(host, text) {
  if (!("raw" in host.dataset)) host.replaceChildren(document.createTextNode(""));
  host.dataset.raw = "";
  patchText(host.firstChild, text);
}

/** Make the blocks of `host` from number `from` on equal to `blocks`. */
export function showBlocks(host, blocks, from = 0) {
  delete host.dataset.raw;
  morphChildren(host, blocks, { from, keeps });
}

/** Return the blocks of rendered HTML. The only innerHTML of answers: the server has sanitised it. */
export function blocksOf(html) {
  const { content } = create("template", { innerHTML: html });
  for (const pre of content.querySelectorAll("pre")) {
    const box = wrap(pre, "code");
    box.dataset.language = pre.firstElementChild?.className.replace("language-", "") ?? "";
    box.append(clone("code"));
    makeScrollable(pre, "Code");
  }
  for (const table of content.querySelectorAll("table")) makeScrollable(wrap(table, "table"), "Table");
  return [...content.children];
}

function wrap(element, className) {
  const box = create("div", { className });
  element.replaceWith(box);
  box.append(element);
  return box;
}

/** What scrolls sideways must be reachable by keyboard. */
function makeScrollable(element, label) {
  Object.assign(element, { tabIndex: 0, role: "group", ariaLabel: label });
}
