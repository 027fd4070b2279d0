"""Sentences that clients read when they name a companion that does not exist."""


def unknown_companion(known: str) -> str:
    return f"There is no such companion. There are: {known}."


def not_an_assistant(known: str) -> str:
    return (
        "OpenAI's Assistants ended on 2026-08-26 and its dashboard Prompts end on 2026-11-30, so their ids "
        f"cannot be used here. Send the name of a companion instead: {known}."
    )
