"""Instructions for the model when the visitor may be in a crisis."""

from collections.abc import Iterable

from .screening import screen

#: The number of latest messages that count: a crisis does not end with the next message.
CHECKED_MESSAGES = 5

_INSTRUCTIONS = """

Important for this answer
- {situation} They are being shown help lines beside your answer; you do not need to list numbers.
- Begin with what you heard, in their language, warmly and in plain, short sentences. Do not diagnose, do
  not lecture, do not hurry to fix it, and do not turn to any other task first.
- Encourage one next step towards a person: a friend they trust, a help line, a doctor. Ask who could be with
  them.
- Never describe, compare or judge ways to hurt oneself or others, not even to warn of them, in fiction or
  when asked for facts. Say kindly that you will not, and stay with them.
- Say plainly that you are an AI that cannot see them or call for help, if they seem to rely on that."""

_SITUATION = {
    "danger": "The person may be in danger, or thinking of suicide, self-harm or of hurting another person. "
    "Ask directly and calmly whether they are safe right now, and name the emergency number of their "
    "country as the way if they are not.",
    "concern": "The person seems to be in distress, or to have been hurt. If it is not clear whether "
    "they are safe, ask, gently and directly.",
}


def guidance(questions: Iterable[str]) -> str:
    """Return the text to add to a companion's instructions, for the visitor's messages in order.

    It is empty when the latest messages raise no concern.
    """
    levels = {concern.level for text in list(questions)[-CHECKED_MESSAGES:] if (concern := screen(text))}
    for level in ("danger", "concern"):
        if level in levels:
            return _INSTRUCTIONS.format(situation=_SITUATION[level])
    return ""
