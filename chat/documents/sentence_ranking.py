"""Which sentences say most, by the words in them: for what a model does not name itself. Pure functions."""

import re
from collections import Counter
from collections.abc import Sequence

#: Letters from which a word counts, and of which its beginning is compared: endings change with grammar.
_LEAST, _STEM = 4, 6
_WORD = re.compile(rf"[^\W\d_]{{{_LEAST},}}")
#: The share of words that are not there twice, from which a sentence says something.
_FRESH = 0.6
#: Words a sentence should have to stand for itself.
_FEW, _MANY = 5, 45


def stems(text: str) -> Counter[str]:
    """The beginnings of the words, and how often each is there."""
    return Counter(word[:_STEM] for word in _WORD.findall(text.casefold()))


def telling(sentences: Sequence[str], most: int) -> list[int]:
    """The sentences with the most of what all of them are about, in their order."""
    return _best(sentences, stems(" ".join(dict.fromkeys(sentences))), most)


def closest(sentences: Sequence[str], to: str, most: int) -> list[int]:
    """The sentences with the most words in common with another text, in their order."""
    return _best(sentences, stems(to), most)


def rests_on(claim: str, text: str) -> bool:
    """Whether most words of `claim` are in the text at all."""
    words, known = stems(claim), stems(text)
    return sum(word in known for word in words) * 2 > len(words)


def circles(sentence: str) -> bool:
    """Whether it says the same words again and again."""
    words = sentence.casefold().split()
    return len(set(words)) < len(words) * _FRESH


def _best(sentences: Sequence[str], weights: Counter[str], most: int) -> list[int]:
    def score(number: int) -> float:
        words = stems(sentences[number])
        length = len(sentences[number].split())
        stands = 1.0 if _FEW <= length <= _MANY else 0.3
        return stands * sum(weights[word] for word in words) / (len(words) + 3)

    firsts = {sentence: number for number, sentence in reversed(list(enumerate(sentences)))}
    best = sorted(firsts.values(), key=lambda number: (-score(number), number))
    return sorted(best[:most])


def spread(count: int, most: int) -> list[int]:
    """At most so many of `count` numbers, evenly, from the first on."""
    if count <= most:
        return list(range(count))
    return [number * count // most for number in range(most)]
