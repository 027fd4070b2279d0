"""The dialects in which providers write an answer's content and its thoughts.

Content is a text, or a list of parts. Thoughts are a field beside the content, parts of it, or text in tags
(`thoughts.py`).
"""

from typing import Any, NamedTuple

#: Fields of a delta that hold thoughts. A provider that sends two of them repeats itself.
_THOUGHT_FIELDS = ("reasoning_content", "reasoning", "reasoning_text", "thinking", "reasoning_details")
#: Fields of a part that hold its text.
_TEXT_FIELDS = ("text", "thinking", "reasoning", "summary", "content")


class Content(NamedTuple):
    """The pieces of a delta or of a whole message."""

    text: str
    thoughts: str
    refusal: str


def read_content(content: Any) -> Content:
    """Return the pieces of a message's `content`. Raise `TypeError` for what is neither text nor parts."""
    if content is None or isinstance(content, str):
        return Content(content or "", "", "")
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        raise TypeError(f"content is {type(content).__name__}")
    pieces = [_read_part(part) for part in content]
    return Content(*("".join(kind) for kind in zip(*pieces, strict=True))) if pieces else Content("", "", "")


def read_thoughts(delta: dict[str, Any]) -> str:
    """Return the thoughts of a delta outside its content."""
    for name in _THOUGHT_FIELDS:
        if value := delta.get(name):
            return _text_in(value)
    return ""


def _read_part(part: Any) -> Content:
    if isinstance(part, str):
        return Content(part, "", "")
    kind = str(part.get("type") or "text")
    if kind == "refusal":
        return Content("", "", part.get("refusal") or "")
    if "think" in kind or "reasoning" in kind:
        return Content("", _text_in(part), "")
    return Content(_text_in(part) if kind in ("text", "output_text") else "", "", "")


def _text_in(value: Any) -> str:
    """Return the text of a text, a part, or a list of them; empty for encrypted thoughts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_text_in(one) for one in value)
    if isinstance(value, dict):
        for name in _TEXT_FIELDS:
            if value.get(name):
                return _text_in(value[name])
        return value["value"] if isinstance(value.get("value"), str) else ""
    return ""
