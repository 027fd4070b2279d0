// Assembles an answer from its deltas. Pure functions; offsets count Unicode code points, as the server
// does, while JavaScript's own lengths count UTF-16 units.

export function codePoints(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Return `text` without what no store takes: NUL, and halves of surrogate pairs, for example of a cut emoji. */
export const wellFormed = (text) => text.replace(/\0|\p{Surrogate}/gu, (sign) => (sign === "\0" ? "" : "\ufffd"));

/**
 * Join a delta to the text so far ({run, text, length}).
 * Return {have} with the new text, or {gap: {run, offset}} if text before the delta is missing.
 */
export function join(have, delta) {
  if (delta.run < have.run) return { have };
  const base = delta.run > have.run ? { run: delta.run, text: "", length: 0 } : have;
  if (delta.offset > base.length) return { gap: { run: base.run, offset: base.length } };

  const fresh = [...delta.text].slice(base.length - delta.offset);
  return {
    have: { run: base.run, text: base.text + fresh.join(""), length: base.length + fresh.length },
  };
}
