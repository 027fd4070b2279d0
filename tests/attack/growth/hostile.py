"""Hostile texts of any length: what makes parsers, patterns and renderers work too much."""

from collections.abc import Callable

#: Repeated up to the length. Each has once been slow somewhere, or is the kind of thing that is.
# fmt: off
_REPEATED = [
    # runs of one character, and digits
    "a", "1", " ", "\t", "\n", "\0", "字", "😀", "@", "$", ".",
    # marks of Markdown: alone, open, alternating
    "*", "_", "`", "~", "[", "]", "(", "<", ">", "|", "![", "[a](", "*a", "**a ", "*a_", "``a ", "[]()",
    # lines
    "# a\n", "- a\n", "1. a\n", "> ", "```\n", "# a\n```\n```\n", "|a|\n|-|\n", "[a]: b\n", "a\n=\n", "a\n\n",
    "\r\n", "a\r", "\n\r", "    a\n",
    # mathematics, footnotes, tasks, links without markup
    "$a", "$$\n", "\\(", "\\[", "[^a]", "[^a]: b\n", "^[", "- [ ] ", "http://a ", "www.a.b ", "a@b.c ", ":a",
    "{\\", "=a", "^", "a\\\n",
    # HTML and entities
    "<a ", "<!--", "</a>", "&amp;", "&#",
    # quotes, brackets, words
    "\"a", "„", "“a”", "a. ", "3. ", "k1", "a!", "i m ", "dont kill myself ", "</think>\n", "<think>",
    # zero-width, combining, both directions, compatibility
    "\u200b", "a\u0301", "\u0315\u0300", "\u202e", "ﷺ", "½ ",
]
# fmt: on


def _repeat(unit: str) -> Callable[[int], str]:
    return lambda length: (unit * (length // len(unit) + 1))[:length]


def _halves(start: str, end: str) -> Callable[[int], str]:
    return lambda length: start * (length // 2 // len(start)) + end * (length // 2 // len(end))


def _stairs(line: Callable[[int], str]) -> Callable[[int], str]:
    """Return texts whose lines are longer and longer."""

    def make(length: int) -> str:
        lines: list[str] = []
        size = number = 0
        while size < length:
            lines.append(line(number))
            size, number = size + len(lines[-1]), number + 1
        return "".join(lines)[:length]

    return make


#: Makers of texts by name.
TEXTS: dict[str, Callable[[int], str]] = {repr(unit): _repeat(unit) for unit in _REPEATED} | {
    "nested brackets": _halves("[", "]"),
    "nested emphasis": _halves("*a ", " a*"),
    "nested JSON": _halves('{"a":[', "]}"),
    "nested lists": _stairs(lambda n: " " * (2 * n % 400) + "- a\n"),
    "nested quotes": _stairs(lambda n: ">" * (n % 400) + "a\n"),
    "longer code marks": _stairs(lambda n: "`" * n + "a"),
    "begins of formulas and one end": lambda n: "\\(" * (n // 2 - 2) + "\\) a",
    "links of one long definition": lambda n: f"[a]: {'b' * (n // 2)}\n\n" + "[a]" * (n // 6),
    "a table of empty rows": lambda n: "|a" * 100 + "|\n" + "|-" * 100 + "|\n" + "|\n" * (n // 2 - 250),
    "code in an open block": lambda n: ("```python\n" + "('" * n)[:n],
    "tags of thoughts in code": lambda n: ("```\n" + "</think>\n" * n)[:n],
}
