"""Sentences and labels of analytics and feedback that visitors and staff read."""

NAME_OR_LIST = "Send either an event name or a list of events."
BAD_PROPERTY_NAME = "A property name is a letter, followed by up to 31 letters, digits and _."
BAD_PROPERTY_TYPE = "A property is a number, a short text, true or false; nested values are not allowed."
NUMBER_TOO_LARGE = "A number must be smaller than 10¹²."

ANSWER_NOT_READY = "This answer is not finished yet."
BAD_VALUE = "Use up or down."

DATABASE_UNAVAILABLE = "The database is unavailable."

REASON_WRONG = "Not correct"
REASON_MISSED = "Missed the question"
REASON_UNCLEAR = "Hard to follow"
REASON_TONE = "Wrong tone"
REASON_UNSAFE = "Harmful or unsafe"
REASON_OTHER = "Something else"

SPANS = {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
CUSTOM_EVENTS = "custom events (x:)"
NO_CODE = "no code"
NO_COMPANION = "no companion"

MESSAGES = "Messages"
VISITORS_TODAY = "Visitors today"
VISITORS_PER_DAY = "Visitors per day"
ACTIVE_VISITORS = "Active visitors"
WAITING_TIME = "Waiting time"
WRITING_TIME = "Writing time"
FAILED = "Failed"
FAILED_REPLIES = "Failed replies"
THUMBS_UP = "Thumbs up"
FEEDBACK = "Feedback"
FROM_CACHE = "Answers from cache"
COST = "Cost"
FAILURES_BY_REASON = "Failures by reason"
TOKENS = "Tokens"
HELP_SHOWN = "Help lines shown"
OTHER_EVENTS = "Other events"


def use_one_of(names: list[str]) -> str:
    """Return the sentence for a value that is none of `names`."""
    return f"Use one of {', '.join(names)}."


def bad_event_name(names: list[str]) -> str:
    """Return the sentence for an event name that clients cannot send."""
    return (
        f"Use one of {', '.join(names)}, or a name of your own: x: followed by up to 38 small letters, "
        "digits, and any of . _ -"
    )


def too_many_properties(maximum: int) -> str:
    """Return the sentence for an event with more than `maximum` properties."""
    return f"An event has at most {maximum} properties."


def text_too_long(maximum: int) -> str:
    """Return the sentence for a property that is not one line of at most `maximum` characters."""
    return f"A text has at most {maximum} characters on one line."


def bad_comment(maximum: int) -> str:
    """Return the sentence for a comment that is too long or has a NUL character."""
    return f"A comment has at most {maximum} characters, and no NUL character."


def median_and_p95(p95: str) -> str:
    """Return the note below a median: the 95th percentile."""
    return f"median, p95 {p95}"


def maximum(value: str) -> str:
    """Return the note below a mean: the maximum."""
    return f"maximum {value}"


def yesterday(value: str) -> str:
    """Return the note below today's figure: that of yesterday."""
    return f"{value} yesterday"


def of_ratings(number: str) -> str:
    """Return the note below the share of thumbs up: the number of ratings."""
    return f"of {number} ratings"


def calls(number: str, unpriced: str) -> str:
    """Return the note below the cost: the number of model calls, and of those without a price."""
    return f"{number} calls, {unpriced} without a price" if unpriced else f"{number} calls"
