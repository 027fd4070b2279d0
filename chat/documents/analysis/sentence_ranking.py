"""Rank sentences by their words, for choices that the model does not make itself. Pure functions."""

import re
from collections import Counter
from collections.abc import Sequence

#: Minimum letters of a word, and the letters that are compared: endings change with grammar.
_MIN_LETTERS, _STEM_LETTERS = 4, 6
_WORD = re.compile(rf"[^\W\d_]{{{_MIN_LETTERS},}}")
#: Minimum share of different words in a sentence that is not repetitive.
_MIN_DISTINCT = 0.6
#: Words of a sentence that can be understood alone.
_MIN_WORDS, _MAX_WORDS = 5, 45
#: Factor for the score of shorter and longer sentences.
_LENGTH_PENALTY = 0.3


def stems(text: str) -> Counter[str]:
    """Return the beginnings of the words of `text` with their counts."""
    return Counter(word[:_STEM_LETTERS] for word in _WORD.findall(text.casefold()))


def most_representative(sentences: Sequence[str], limit: int) -> list[int]:
    """Return the numbers of the sentences with the most frequent words of all of them, in their order."""
    return _best(sentences, stems(" ".join(dict.fromkeys(sentences))), limit)


def most_similar(sentences: Sequence[str], text: str, limit: int) -> list[int]:
    """Return the numbers of the sentences that share the most words with `text`, in their order."""
    return _best(sentences, stems(text), limit)


def is_supported(claim: str, text: str) -> bool:
    """Return True when most words of `claim` occur in the text."""
    words, known = stems(claim), stems(text)
    return sum(word in known for word in words) * 2 > len(words)


def is_repetitive(sentence: str) -> bool:
    """Return True when the sentence repeats the same words again and again."""
    words = sentence.casefold().split()
    return len(set(words)) < len(words) * _MIN_DISTINCT


def _best(sentences: Sequence[str], weights: Counter[str], limit: int) -> list[int]:
    def score(number: int) -> float:
        words = stems(sentences[number])
        length = len(sentences[number].split())
        factor = 1.0 if _MIN_WORDS <= length <= _MAX_WORDS else _LENGTH_PENALTY
        return factor * sum(weights[word] for word in words) / (len(words) + 3)

    firsts = {sentence: number for number, sentence in reversed(list(enumerate(sentences)))}
    best = sorted(firsts.values(), key=lambda number: (-score(number), number))
    return sorted(best[:limit])


def evenly_spaced(count: int, limit: int) -> list[int]:
    """Return up to `limit` of the numbers below `count`, evenly spaced, beginning with 0."""
    if count <= limit:
        return list(range(count))
    return [number * count // limit for number in range(limit)]
