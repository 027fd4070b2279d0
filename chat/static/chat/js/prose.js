// Markdown the server has rendered, in the page. What is there and has not changed is left alone: a
// selection in it, its place when it scrolls sideways, the word on its button.

import { clone } from "./dom.js";

/** Shows `text` as it is. */
export function showPlain(host, text) {
  if (!("raw" in host.dataset)) host.replaceChildren(document.createTextNode(""));
  host.dataset.raw = "";
  setData(host.firstChild, text);
}

/** Makes the blocks of `host` from number `from` on like `blocks`. */
export function showBlocks(host, blocks, from = 0) {
  delete host.dataset.raw;
  makeAlike(host, blocks, from);
}

/** The only innerHTML of answers: Markdown the server has rendered and sanitised. */
export function blocksOf(html) {
  const { content } = Object.assign(document.createElement("template"), { innerHTML: html });
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
  const box = document.createElement("div");
  box.className = className;
  element.replaceWith(box);
  box.append(element);
  return box;
}

/** What may scroll sideways must be reachable by keyboard. */
function makeScrollable(element, label) {
  element.tabIndex = 0;
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", label);
}

function makeAlike(host, wanted, from = 0) {
  const nodes = [...host.childNodes].slice(from);
  wanted.forEach((node, index) => (nodes[index] ? makeNodeAlike(nodes[index], node) : host.append(node)));
  for (const node of nodes.slice(wanted.length)) node.remove();
}

function makeNodeAlike(node, wanted) {
  if (node.isEqualNode(wanted)) return;
  if (node.nodeName === "BUTTON" && wanted.nodeName === "BUTTON") return; // it says "Copied", and may have the focus
  if (node.nodeType === Node.TEXT_NODE && wanted.nodeType === Node.TEXT_NODE) setData(node, wanted.data);
  else if (node.cloneNode().isEqualNode(wanted.cloneNode())) makeAlike(node, [...wanted.childNodes]);
  else node.replaceWith(wanted);
}

/** Changes a text node from where it differs, so that what is selected before stays so. */
export function setData(node, text) {
  const { data } = node;
  let same = data.length <= text.length && text.startsWith(data) ? data.length : 0;
  while (same < data.length && data[same] === text[same]) same += 1;
  if (data !== text) node.replaceData(same, data.length - same, text.slice(same));
}
