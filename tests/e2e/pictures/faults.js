// Returns what is wrong with the looks of the page as it is shown now: a list of {kind, what}.
() => {
  const MAY_SCROLL = "pre, .table, math, .plot__table, .swagger-ui *, .results, #changelist *, #queues";
  const MAY_SHORTEN = ".thread__title, .thread__snippet, .header__sub";
  const BREAKS = /[\s\-‐–—/|?&=_.@:…\u200b\u00ad]+/u;
  const WORD = /^["“‘(«]?[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}'’]+["”’)»,;!]*$/u;
  const ID = /^[0-9a-f]{32}$/; // no word
  const found = new Map();

  const name = (e) => {
    const words = (e.textContent || e.placeholder || e.ariaLabel || "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `${e.localName}${e.id ? `#${e.id}` : ""}${[...e.classList].map((c) => `.${c}`).join("")} “${words}”`;
  };
  const note = (kind, e, more = "") => found.set(`${kind} ${name(e)} ${more}`, { kind, what: `${name(e)} ${more}`.trim() });
  const parents = function* (e) {
    for (let up = e.parentElement; up; up = up.parentElement) yield up;
  };
  const isSeen = (e) => {
    if (!e.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true })) return false;
    for (const one of [e, ...parents(e)]) {
      const { clip, clipPath, opacity } = getComputedStyle(one);
      if (clip === "rect(0px, 0px, 0px, 0px)" || clipPath === "inset(50%)" || one.inert || (opacity === "0" && one.localName === "input")) return false;
    }
    const { right, bottom } = e.getBoundingClientRect();
    return right > 0 && bottom > 0;
  };
  const isIn = (e, what) => Boolean(e.closest(what));

  function sticksOut(e, rect) {
    if (isIn(e, `:is(${MAY_SCROLL}) *`)) return;
    if (rect.right > innerWidth + 1 || (rect.left < -1 && rect.right > 1))
      note("sticks out", e, `${Math.round(rect.left)}…${Math.round(rect.right)} of ${innerWidth}`);
  }

  function scrollsSideways(e, style) {
    if (e.scrollWidth <= e.clientWidth + 1 || e.matches(MAY_SCROLL) || isIn(e, MAY_SCROLL)) return;
    if (["auto", "scroll"].includes(style.overflowX)) note("scrolls sideways", e, `${e.scrollWidth} in ${e.clientWidth}`);
  }

  function cuts(e, range) {
    const text = range.getBoundingClientRect();
    for (const up of [e, ...parents(e)]) {
      const style = getComputedStyle(up);
      const box = up.getBoundingClientRect();
      if (up.matches(MAY_SHORTEN) || ["auto", "scroll"].includes(style.overflowX)) return;
      const isWide = style.overflowX !== "visible" && (text.right > box.right + 2 || text.left < box.left - 2);
      const isHigh = ["hidden", "clip"].includes(style.overflowY) && (text.bottom > box.bottom + 4 || text.top < box.top - 4);
      if (isWide || (isHigh && up.scrollHeight > up.clientHeight + 4 && up !== document.body && !up.matches(".app, .main, .main__page")))
        return note("cut", e, `by ${name(up).slice(0, 40)}`);
      if (style.position === "fixed") return;
    }
  }

  /** The number of lines that the text at this place is in, and its width in all of them. */
  function piecesOf(node, start, text) {
    const range = document.createRange();
    range.setStart(node, start);
    range.setEnd(node, start + text.length);
    const pieces = [...range.getClientRects()].filter(({ width }) => width > 0.5);
    const lines = new Set(pieces.map(({ top, height }) => Math.round(top / (height || 1)))).size;
    return { lines, width: pieces.reduce((sum, piece) => sum + piece.width, 0) };
  }

  function breaks(e, node) {
    const longest = isIn(e, MAY_SHORTEN) ? e.clientWidth : innerWidth * (isIn(e, ":is(h1, h2):not(.prose *)") ? 0.95 : 0.75);
    for (const { 0: token, index } of node.data.matchAll(/\S+/g)) {
      if (piecesOf(node, index, token).width > longest) continue; // longer than a line, as an address
      let start = 0;
      for (const word of token.split(BREAKS)) {
        start = token.indexOf(word, start);
        const { lines, width } = piecesOf(node, index + start, word);
        if (word.length > 1 && WORD.test(word) && !ID.test(word) && lines > 1) note("broken word", e, `“${word}” ${Math.round(width)} px`);
        start += word.length;
      }
    }
  }

  /** What may be shortened still shows some words. */
  function shortensTooMuch(e) {
    const node = e.firstChild;
    if (node?.nodeType !== Node.TEXT_NODE || e.scrollWidth <= e.clientWidth + 1) return;
    const beginning = piecesOf(node, 0, node.data.slice(0, 8)).width;
    if (beginning > e.clientWidth) note("cut", e, `shows ${e.clientWidth} px`);
  }

  function shortens(e) {
    const style = getComputedStyle(e);
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = (e.value ? style : getComputedStyle(e, "::placeholder")).font;
    const room = e.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight);
    const words = e.value || e.placeholder;
    if (e.localName === "input" && !e.placeholder) return; // a value may be longer than its field
    if (e.localName === "textarea" && (e.value || getComputedStyle(e, "::placeholder").whiteSpace !== "nowrap")) return; // in lines
    if (words && pen.measureText(words).width > room + 2) note("cut", e, `its placeholder needs more than ${Math.round(room)} px`);
  }

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const e = node.parentElement;
    if (isIn(e, ".opblock-summary-path")) continue; // an address may break anywhere
    if (!node.data.trim() || isIn(e, "script, style, template, noscript, option, svg") || !isSeen(e)) continue;
    range.selectNodeContents(node);
    if (!isIn(e, MAY_SCROLL)) cuts(e, range);
    breaks(e, node);
  }
  for (const e of document.body.querySelectorAll("*")) {
    if (isIn(e, "script, style, template, svg *, math *, option, .for-screen-readers, .skip") || !isSeen(e)) continue;
    const rect = e.getBoundingClientRect();
    if (rect.width && rect.height) sticksOut(e, rect);
    scrollsSideways(e, getComputedStyle(e));
    if (e.matches(MAY_SHORTEN)) shortensTooMuch(e);
    if (e.matches("input:not([type=checkbox], [type=radio], [type=hidden]), textarea")) shortens(e);
  }
  for (const scroller of document.querySelectorAll(".main__page > .scroll, .sidebar__list"))
    if (isSeen(scroller) && scroller.clientHeight < innerHeight * 0.25)
      note("no room", scroller, `${scroller.clientHeight} of ${innerHeight}`);
  if (document.documentElement.scrollWidth > innerWidth) note("sticks out", document.documentElement);
  return [...found.values()];
}
