// An answer while it is written: its Markdown as the server has rendered it so far, and at its end the
// words that have come since. The server is asked again when its last answer is shown; it sets the pace.

import { $ } from "./dom.js";
import { blocksOf, setData, showBlocks, showPlain } from "./prose.js";

const PATIENCE = 1500; // ms without a rendering from which on words are shown as they come, markup and all
const ASK_AGAIN = 3000; // ms after which a question is taken for lost

/** Words that are no markup, whatever follows; of code, all up to what may be its end. */
const PLAIN = /^[^\n*_`~[\]|#<>\\!&]*/;
const PLAIN_CODE = /^[^`~]*/;

/** `ask(jobId, {run, offset})` is false when nobody can be asked. */
export function liveText(ask) {
  const shown = new WeakMap(); // element -> what it shows: {run, live, length, settled, blocks, end, askedAt}

  function draw(host, message) {
    if (document.hidden && message.status === "active") return; // who is not looking need not ask
    let state = shown.get(host);
    const isOld = state && (state.run !== message.run || (state.live && !message.live));
    if (!state || isOld) shown.set(host, (state = { run: message.run, live: null, length: 0, settled: 0, blocks: 0 }));
    if (isOld) showPlain(host, "");
    if (message.live !== state.live) take(host, state, message.live);
    if (message.status === "active" && message.length > state.length) askOnce(state, message);
    drawRest(host, state, message);
  }

  function askOnce(state, { jobId, run }) {
    if (state.askedAt && Date.now() - state.askedAt < ASK_AGAIN) return;
    state.askedAt = ask(jobId, { run, offset: state.settled }) ? Date.now() : 0;
  }

  return { draw };
}

function take(host, state, live) {
  Object.assign(state, { live, askedAt: 0 });
  // It goes on from what is not shown here: it is asked for again.
  if (live.offset && live.offset !== state.settled) return;
  const from = live.offset ? state.blocks : 0;
  const settled = blocksOf(live.html);
  showBlocks(host, [...settled, ...blocksOf(live.openHtml)], from);
  const end = live.goesOn ? endOf(host) : null;
  const { length } = live;
  Object.assign(state, { length, settled: live.settled, blocks: from + settled.length, end: end && { node: end, data: end.data } });
}

/** Where words go on: the last text, however deep it is. */
function endOf(host) {
  let node = host.lastElementChild;
  while (node && node.nodeType !== Node.TEXT_NODE) {
    if (node.className === "code") node = $("code", node);
    const { lastChild } = node;
    node = lastChild?.data?.trim() === "" ? lastChild.previousSibling : lastChild;
  }
  return node;
}

function drawRest(host, shown, { status, text, length }) {
  const { end, askedAt } = shown;
  const late = !askedAt || Date.now() - askedAt > PATIENCE;
  const all = status === "active" ? late : status === "failed" || !shown.length;
  const since = shown.length ? lastOf(text, length - shown.length) : text;
  const plain = all ? since : since.match(end?.node.parentNode.closest("pre") ? PLAIN_CODE : PLAIN)[0];
  if (!shown.length) return showPlain(host, plain);
  if (end) setData(end.node, all ? end.data : end.data + plain);
  return drawBelow(host, all ? plain : "");
}

/** The last `count` code points. */
const lastOf = (text, count) => (count > 0 ? [...text.slice(-2 * count)].slice(-count).join("") : "");

function drawBelow(host, text) {
  let rest = $(":scope > .message__rest", host);
  if (!text) return rest?.remove();
  rest ??= host.appendChild(Object.assign(document.createElement("p"), { className: "message__rest" }));
  return showPlain(rest, text);
}
