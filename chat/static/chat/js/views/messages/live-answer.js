// The text of an answer, as the server has rendered it; of one in progress so far, with the text that came since.
// The server is asked again once its last rendering is shown; it sets the pace.

import { patchText } from "../../../../queueing/morph.js";
import { $, create } from "../dom.js";
import { blocksOf, showBlocks, showPlain } from "./html-patch.js";

const RENDER_TIMEOUT = 1500; // ms without a rendering after which text is shown as it comes, with its markup
const ASK_AGAIN = 3000; // ms after which a request counts as lost

/** Text that is not markup, with any continuation. In code: all up to a possible end of the code. */
const PLAIN = /^[^\n*_`~[\]|#<>\\!&]*/;
const PLAIN_CODE = /^[^`~]*/;

/** Create the view; `ask(jobId, {run, offset})` returns false if the server cannot be asked. */
export function createLiveAnswer(ask) {
  const shown = new WeakMap(); // host -> what it shows: {run, live, length, settled, blocks, end, askedAt}
  return {
    draw(host, message) {
      const { html } = message;
      const isShown = host.html === html; // what was shown is not compared again
      host.html = html;
      if (html !== null) return isShown || showBlocks(host, blocksOf(html));
      if (document.hidden && message.status === "active") return; // a hidden page need not ask
      const state = stateOf(shown, host, message);
      if (message.live !== state.live) showLive(host, state, message.live);
      if (message.status === "active" && message.length > state.length) askOnce(ask, state, message);
      drawRest(host, state, message);
    },
  };
}

/** Return what `host` shows; another run starts from nothing. */
function stateOf(shown, host, { run, live }) {
  const state = shown.get(host);
  const isOld = state && (state.run !== run || (state.live && !live));
  if (state && !isOld) return state;
  if (isOld) showPlain(host, "");
  const fresh = { run, live: null, length: 0, settled: 0, blocks: 0 };
  shown.set(host, fresh);
  return fresh;
}

function askOnce(ask, state, { jobId, run }) {
  if (state.askedAt && Date.now() - state.askedAt < ASK_AGAIN) return;
  state.askedAt = ask(jobId, { run, offset: state.settled }) ? Date.now() : 0;
}

function showLive(host, state, live) {
  Object.assign(state, { live, askedAt: 0 });
  // It continues something that is not shown here: it is requested again.
  if (live.offset && live.offset !== state.settled) return;
  const from = live.offset ? state.blocks : 0;
  const settled = blocksOf(live.html);
  showBlocks(host, [...settled, ...blocksOf(live.openHtml)], from);
  const end = live.goesOn ? endOf(host) : null;
  const { length } = live;
  Object.assign(state, {
    length,
    settled: live.settled,
    blocks: from + settled.length,
    end: end && { node: end, data: end.data },
  });
}

/** Return the node where the text continues: the last text, however deep it is. */
function endOf(host) {
  let node = host.lastElementChild;
  while (node && node.nodeType !== Node.TEXT_NODE) {
    if (node.className === "code") node = $("code", node);
    const { lastChild } = node;
    node = lastChild?.data?.trim() === "" ? lastChild.previousSibling : lastChild;
  }
  return node;
}

function drawRest(host, { end, askedAt, length: shownLength }, { status, text, length }) {
  const isLate = !askedAt || Date.now() - askedAt > RENDER_TIMEOUT;
  const all = status === "active" ? isLate : status === "failed" || !shownLength;
  const since = shownLength ? lastOf(text, length - shownLength) : text;
  const plain = all ? since : since.match(end?.node.parentNode.closest("pre") ? PLAIN_CODE : PLAIN)[0];
  if (!shownLength) return showPlain(host, plain);
  if (end) patchText(end.node, all ? end.data : end.data + plain);
  return drawBelow(host, all ? plain : "");
}

/** Return the last `count` code points. */
const lastOf = (text, count) => (count > 0 ? [...text.slice(-2 * count)].slice(-count).join("") : "");

function drawBelow(host, text) {
  let rest = $(":scope > .message__rest", host);
  if (!text) return rest?.remove();
  rest ??= host.appendChild(create("p", { className: "message__rest" }));
  return showPlain(rest, text);
}
