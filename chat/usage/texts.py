"""Sentences about budgets that visitors read."""

OVER_WHOLE_BUDGET = "This answer could exceed the whole daily budget. Please start a new conversation."
REST_IS_RESERVED = (
    "The rest of today's budget is reserved for your earlier messages. Please wait until they are finished."
)


def budget_spent(time_zone: str) -> str:
    """Return the sentence for a message that does not fit into the rest of today's budget."""
    return f"This message does not fit into today's budget. The budget renews at midnight ({time_zone})."
