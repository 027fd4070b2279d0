"""What the owner of a failed job can do: whether trying again can help, what else, and the advice, by code.

Each code that a job of this project fails with is here (a test finds them). Any other code is that of an
unexpected error, which may pass.
"""

from typing import Any, NamedTuple

from . import texts


class Failure(NamedTuple):
    """What can be done about a failure."""

    can_retry: bool
    """Whether the same request may succeed when it is tried again."""
    advice: str
    """A sentence for the owner, shown below the error; empty where the error says it all."""
    offer: str = ""
    """What else may help: to `edit` the message, a `new` conversation, to `sign_in`; empty for nothing."""


MAY_PASS = Failure(True, texts.TRY_AGAIN)
_WAITS_FOR_OPERATOR = Failure(False, texts.OPERATOR_MUST_ACT)
_NEEDS_OTHER_WORDS = Failure(False, texts.CHANGE_MESSAGE, "edit")
_NEEDS_LESS_TEXT = Failure(False, "", "edit")
_SAYS_IT_ALL = Failure(False, "")

FAILURES: dict[str, Failure] = {
    # the provider
    "provider_error": MAY_PASS,
    "provider_timeout": MAY_PASS,
    "provider_unreachable": MAY_PASS,
    "rate_limited": MAY_PASS,
    "patience": MAY_PASS,
    "provider_down": MAY_PASS,
    "cut_off": MAY_PASS,
    "garbled": MAY_PASS,
    "empty_answer": MAY_PASS,
    "no_room": Failure(True, texts.ONE_THING_AT_A_TIME, "edit"),
    # its account and our settings
    "not_configured": _WAITS_FOR_OPERATOR,
    "no_model": _WAITS_FOR_OPERATOR,
    "no_quota": _WAITS_FOR_OPERATOR,
    # the message
    "bad_request": _NEEDS_OTHER_WORDS,
    "content_filter": _NEEDS_OTHER_WORDS,
    "refused": _NEEDS_OTHER_WORDS,
    "too_long": _NEEDS_LESS_TEXT,
    "budget_spent": Failure(False, texts.BUDGET_RENEWS, "sign_in"),
    # what the message was about
    "thread_deleted": _SAYS_IT_ALL,
    "no_companion": Failure(False, texts.OTHER_COMPANION, "new"),
    "document_gone": _SAYS_IT_ALL,
    "no_speech": _SAYS_IT_ALL,
    "unreadable": _SAYS_IT_ALL,
    "expired": _SAYS_IT_ALL,
    # the engine
    "parent_deleted": _SAYS_IT_ALL,
    "timeout": MAY_PASS,
    "stalled": MAY_PASS,
    "database_away": MAY_PASS,
    "database": MAY_PASS,
    "blocked_loop": _WAITS_FOR_OPERATOR,
    "unknown_kind": MAY_PASS,
    "result_not_json": _WAITS_FOR_OPERATOR,
    "unwritable": _WAITS_FOR_OPERATOR,
    "result_too_large": _WAITS_FOR_OPERATOR,
    "parent_failed": Failure(False, texts.FIRST_STEP_FIRST),
}


def failure_of(code: str) -> Failure:
    """Return what can be done about a job that failed with `code`."""
    return FAILURES.get(code, MAY_PASS)


def failure_fields(code: str) -> dict[str, Any]:
    """Return the same as fields of an event or an answer."""
    failure = failure_of(code)
    fields = {"canRetry": failure.can_retry, "advice": failure.advice}
    return fields | ({"offer": failure.offer} if failure.offer else {})
