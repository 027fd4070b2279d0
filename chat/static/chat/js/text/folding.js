// Texts without what the search ignores, as the server folds them (chat/conversations/searching/folding.py). Pure functions.

const SAME = Object.fromEntries(
  "øo łl đd ħh ŧt ıi ðd ŋn æae œoe þth ßss ςσ ىي یي کك گك ةه ەه ہه ـ * `"
    .split(" ")
    .map((pair) => [pair[0], pair.slice(1)]),
);
const QUOTES = /[“”„‟«»″]/g;
const APOSTROPHES = /[‘’‚‛ʼ′´]/g;
const DASHES = /[‐‑‒–—―−]/g;
const IGNORED =
  /[\p{Script=Inherited}\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\u093c\u09bc\u0a3c\u0abc\u0b3c\u0cbc]/u;
const SILENT = /[\p{Cc}\p{Cf}\p{Cs}\p{Me}]/u;
/** They make another letter of the one before. */
const VOICED = /[\u3099\u309a]/;

function foldPart(part) {
  if (part in SAME) return SAME[part];
  if (SILENT.test(part) || (/\p{M}/u.test(part) && IGNORED.test(part) && !VOICED.test(part))) return "";
  return /[٠-٩۰-۹]/.test(part) ? String(part.codePointAt(0) & 15) : part;
}

const plain = (text) =>
  text.replace(/\s/g, " ").replace(QUOTES, '"').replace(APOSTROPHES, "'").replace(DASHES, "-").normalize("NFKD");

const foldCharacter = (character) => Array.from(plain(character).toLowerCase().normalize("NFKD"), foldPart).join("");

export const fold = (text) => Array.from(text.trim().replace(/\s+/g, " "), foldCharacter).join("");

/** Return the folded terms of a query: its words, and its phrases in quotation marks. */
export const termsOf = (query) =>
  Array.from(query.replace(QUOTES, '"').matchAll(/"([^"]+)"|(\S+)/g), ([, phrase, word]) =>
    fold(phrase ?? word),
  ).filter(Boolean);

/** Return whether `text` has all of these terms. */
export function hasAll(text, terms) {
  const folded = fold(text);
  return terms.every((term) => folded.includes(term));
}

/** Return where `text` has these terms: [start, end] of each place. */
export function placesOf(text, terms) {
  const starts = []; // for each character of the folded text: where its own begins and ends
  let folded = "";
  let index = 0;
  for (const character of text) {
    const end = index + character.length;
    if (/^\p{M}$/u.test(character) && starts.length) starts.at(-1)[1] = end; // an accent of the letter before
    for (const part of foldCharacter(character)) {
      for (let unit = 0; unit < part.length; unit += 1) starts.push([index, end]);
      folded += part;
    }
    index = end;
  }
  return terms.flatMap((term) => {
    const places = [];
    for (let at = folded.indexOf(term); at >= 0; at = folded.indexOf(term, at + term.length))
      places.push([starts[at][0], starts[at + term.length - 1][1]]);
    return places;
  });
}
