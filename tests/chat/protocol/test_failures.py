"""What an owner can do about each failure (K10)."""

import ast
from pathlib import Path

import pytest

from chat.documents.texts import SKIP_REASONS
from chat.protocol.failures import FAILURES, MAY_PASS, failure_fields, failure_of
from chat.upstream.fallback import ACCOUNT_WAITS, REPLACED
from chat.voice.jobs import FINAL_CODES

ROOT = Path(__file__).resolve().parents[3]
#: Calls that name the error code of a job.
RAISED = {"Permanent", "Retry", "Outage", "Cooldown", "Result"}


def codes_in_source() -> set[str]:
    """Return all codes with which the code of this project lets a job fail."""
    trees = [
        ast.parse(path.read_text()) for room in ("chat", "queueing") for path in (ROOT / room).rglob("*.py")
    ]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [call for call in calls if getattr(call.func, "id", "") in RAISED]
    values = [word.value for call in named for word in call.keywords if word.arg == "code"]
    return {value.value for value in values if isinstance(value, ast.Constant)}


def test_every_code_of_a_failure_is_in_the_table():
    codes = codes_in_source()
    assert {"content_filter", "provider_error", "stalled", "no_speech"} <= codes
    assert codes | {*REPLACED, *ACCOUNT_WAITS, *SKIP_REASONS, *FINAL_CODES} <= FAILURES.keys()


CANNOT_HELP = {
    *("not_configured", "no_model", "no_quota", "bad_request", "content_filter", "refused", "too_long"),
    *(
        "budget_spent",
        "thread_deleted",
        "no_companion",
        "document_gone",
        "no_speech",
        "unreadable",
        "expired",
    ),
    *("result_not_json", "result_too_large", "blocked_loop", "unwritable", "parent_failed", "parent_deleted"),
}


@pytest.mark.parametrize("code", sorted(FAILURES))
def test_trying_again_is_offered_only_where_it_can_help(code):
    failure = failure_of(code)
    assert failure.can_retry is (code not in CANNOT_HELP)
    assert failure.can_retry is False or "Try again" in failure.advice
    assert failure.can_retry or "Try again" not in failure.advice


@pytest.mark.parametrize("code", sorted(FAILURES))
def test_other_offer_fits_the_cause(code):
    """K10: the same words fail again, so they can be edited; a budget may be larger after signing in."""
    offers = {"budget_spent": "sign_in", "no_companion": "new"}
    words = {"bad_request", "content_filter", "refused", "too_long", "no_room"}
    offer = "edit" if code in words else offers.get(code)
    assert failure_fields(code).get("offer") == offer


@pytest.mark.parametrize("code", FINAL_CODES)
def test_recording_that_is_deleted_cannot_be_tried_again(code):
    assert not failure_of(code).can_retry


@pytest.mark.parametrize("code", ["", "ValueError", "a_new_code"])
def test_unexpected_error_may_pass(code):
    assert failure_of(code) == MAY_PASS
