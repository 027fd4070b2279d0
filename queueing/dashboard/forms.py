"""The forms of the dashboard's dialogs: what they offer, and what the server reads from them."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured

from queueing.conf import get_queue
from queueing.control import limit_texts
from queueing.control.actions import ACTIONS
from queueing.control.operator_action import OperatorAction, Target
from queueing.errors import BadValue
from queueing.limits.live_limits import NUMBERS, effective
from queueing.states import FINISHED
from queueing.values.cleaning import clean_text

from . import texts

#: The actions on queues, groups of failures, workers and recurring jobs, and one on a single job.
OFFERED = {
    name: ACTIONS[name]
    for name in (
        "pause", "resume", "set_limits", "clear_limits", "promote_all", "drain", "clean",
        "retry_group", "note_group", "retry", "quiet_worker", "resume_worker",
        "run_recurring", "pause_recurring", "resume_recurring",
    )
}  # fmt: skip
#: The maximum lengths of the names in a form, as the database stores them.
_MAX_NAMES = {"job_id": 64, "kind": 100, "code": 64, "worker": 200, "recurring": 100}
#: The greatest age in days that the form of `clean` accepts.
_MAX_DAYS = 10_000


def queue_actions(queue: Mapping[str, Any]) -> Iterator[OperatorAction]:
    """Yield the actions that make sense for a queue of the overview, in the order of the buttons."""
    yield ACTIONS["resume" if queue.get("paused") else "pause"]
    yield ACTIONS["set_limits"]
    if queue.get("overridden"):
        yield ACTIONS["clear_limits"]
    if queue.get("delayed"):
        yield ACTIONS["promote_all"]
    yield ACTIONS["drain"]
    yield ACTIONS["clean"]


def target_of(values: Mapping[str, str], actor: str) -> Target:
    """Return what a form is about. Raise `ImproperlyConfigured` for an unknown queue, or no name.

    Only actions on workers and recurring jobs are not about a queue: others refuse the empty name.
    """
    names = ("note", "job_id", "kind", "code", "text", "worker", "recurring")
    given: dict[str, Any] = {name: clean_text(values[name]) for name in names if name in values}
    if any(len(given.get(name, "")) > most for name, most in _MAX_NAMES.items()):
        raise ImproperlyConfigured
    if not (given.get("worker") or given.get("recurring")):
        given["queue"] = get_queue(values.get("queue", "")).name
    return Target(actor=actor, **given)


def field_values(action: OperatorAction, queue: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a `Target` that the action's form asks for. Raise `BadValue`. Blocks."""
    if "limits" in action.fields:
        return {"limits": _changed_limits(queue, values)}
    if "age" in action.fields:
        return _state_and_age(values)
    return {}


def _state_and_age(values: Mapping[str, str]) -> dict[str, Any]:
    state, days = values.get("state", ""), values.get("days", "")
    if state not in FINISHED:
        raise BadValue("state", texts.choose_one(sorted(FINISHED)))
    if not days.isdigit() or int(days) > _MAX_DAYS:
        raise BadValue("days", texts.whole_number(0, _MAX_DAYS))
    return {"state": state, "older_than": timedelta(days=int(days))}


class LimitField(NamedTuple):
    """A field of the form of limits."""

    name: str
    label: str
    value: str
    hint: str


def limit_fields(queue: str) -> list[LimitField]:
    """Return the fields, filled with the limits that apply now. Blocks."""
    now, settings = effective(queue), get_queue(queue)
    return [
        LimitField(
            name,
            label,
            limit_texts.notation(getattr(now, name), nothing="0"),
            texts.limit_hint(name, limit_texts.in_words(getattr(settings, name))),
        )
        for name, label in limit_texts.LABELS.items()
    ]


def _changed_limits(queue: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the limits of the form that differ from those that apply now, as `set_limits` takes them."""
    now = effective(queue)
    wanted: dict[str, Any] = {name: _number(name, values[name]) for name in NUMBERS if name in values}
    if "limiter" in values:
        wanted["limiter"] = limit_texts.parse_limiter(values["limiter"])
    return {name: value for name, value in wanted.items() if value != limit_texts.plain(getattr(now, name))}


def _number(name: str, text: str) -> int:
    if not (text.strip().isascii() and text.strip().isdigit()):
        raise BadValue(name, texts.whole_number(0))
    return int(text)
