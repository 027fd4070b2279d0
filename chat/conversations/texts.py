"""Sentences that clients read, of messages and conversations."""

NOT_TRANSCRIBED = "Cannot edit a recording that is not transcribed."


def cannot_edit(state: str) -> str:
    return f"Cannot edit a message whose job is {state}."


def cannot_withdraw(state: str) -> str:
    return f"Cannot withdraw a message whose job is {state}."
