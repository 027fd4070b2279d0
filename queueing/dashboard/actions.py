"""What the page's buttons do: what is said before, what is asked for, and what is said after.

Each verb is one of `operating`'s, which also writes the audit entry. All are safe to repeat: a second click
finds nothing left to do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import Count
from django.utils import timezone

from queueing.conf import get_queue
from queueing.control import audited
from queueing.errors import BadValue
from queueing.models import Job
from queueing.monitoring import failures
from queueing.states import FINISHED, UNFINISHED

from .limits import said_limits, wanted_limits

#: Finished jobs counted before it is only said that there are more.
_COUNTED = 10_000
#: Days that `clean` suggests.
DAYS = 7


class Asked(NamedTuple):
    """What an operator asks for."""

    values: Mapping[str, str]
    """As the form has them."""
    actor: str

    def get(self, name: str) -> str:
        """The value `name`, or ''."""
        return self.values.get(name, "")

    @property
    def queue(self) -> str:
        """Raises `ImproperlyConfigured` for a queue there is not."""
        return get_queue(self.get("queue")).name

    @property
    def group(self) -> tuple[str, str, str]:
        """Queue, kind and code of a group of failures."""
        return self.queue, self.get("kind"), self.get("code")

    @property
    def who(self) -> audited.Who:
        """For the audit."""
        return {"actor": self.actor, "note": self.get("note")}


@dataclass(frozen=True, kw_only=True)
class Action:
    """One verb."""

    title: str
    """`{queue}` stands for the queue."""
    button: str
    says: Callable[[Asked], list[str]]
    """What will happen, in numbers. Blocks."""
    does: Callable[[Asked], str]
    """Does it; what was done, in a sentence. Blocks."""
    dangerous: bool = False
    """Cannot be undone: the queue's name has to be typed."""
    fields: tuple[str, ...] = field(default=("note",))
    """What the form asks for, by the names that its template knows."""


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _counts(queue: str) -> dict[str, int]:
    rows = Job.objects.filter(queue=queue, state__in=sorted(UNFINISHED))
    found = dict(rows.order_by().values_list("state").annotate(number=Count("id")))
    return {state: found.get(state, 0) for state in UNFINISHED}


def _says_pause(asked: Asked) -> list[str]:
    has = _counts(asked.queue)
    runs = _number(has["active"], "running job")
    return [f"Nothing more of it starts; {runs} may finish, and {has['waiting']:,} wait until it is resumed."]


def _says_resume(asked: Asked) -> list[str]:
    return [f"{_number(_counts(asked.queue)['waiting'], 'waiting job')} may start, as the limits allow."]


def _says_drain(asked: Asked) -> list[str]:
    has = _counts(asked.queue)
    jobs = f"{has['waiting']:,} waiting and {_number(has['delayed'], 'delayed job')}"
    return [f"Cancels {jobs}. {has['active']:,} that run go on.", "This cannot be undone."]


def _says_promote(asked: Asked) -> list[str]:
    delayed = _number(_counts(asked.queue)["delayed"], "delayed job")
    return [f"{delayed} may start now instead of later; those that wait for other jobs go on waiting."]


def _says_clean(asked: Asked) -> list[str]:
    old = Job.objects.filter(queue=asked.queue, finished_at__lt=timezone.now() - timedelta(days=DAYS))
    parts = []
    for state in sorted(FINISHED):
        number = old.filter(state=state).order_by()[: _COUNTED + 1].count()
        parts.append(f"{'more than ' if number > _COUNTED else ''}{min(number, _COUNTED):,} {state}")
    return [
        f"Removes finished jobs with their history. Older than {DAYS} days are {', '.join(parts)}.",
        "This cannot be undone.",
    ]


def _says_replay(asked: Asked) -> list[str]:
    queue, kind, code = asked.group
    found = [group for group in failures.groups(queue) if (group.kind, group.code) == (kind, code)]
    number = f"{found[0].count:,}{'+' if found[0].more else ''}" if found else "0"
    return [f"Runs {number} failed jobs ({kind}: {code or 'no code'}) again, each with all its attempts."]


def _does_clean(asked: Asked) -> str:
    state, days = asked.get("state"), asked.get("days")
    if state not in FINISHED:
        raise BadValue("state", f"Choose one of {', '.join(sorted(FINISHED))}.")
    if not days.isdigit() or int(days) > 10_000:
        raise BadValue("days", "Say how many days old they are at least: 0 to 10000.")
    number = audited.clean(asked.queue, state=state, older_than=timedelta(days=int(days)), **asked.who)
    return f"Removed {_number(number, f'{state} job')} of {asked.queue}."


def _does_limits(asked: Asked) -> str:
    wanted = wanted_limits(asked.queue, asked.values)
    if not wanted:
        return "These are the limits it has; nothing was changed."
    audited.set_limits(asked.queue, **wanted, **asked.who)
    return f"Limits of {asked.queue} changed: {', '.join(sorted(wanted))}."


def _says_note(asked: Asked) -> list[str]:
    return [f"Everybody who sees the failures {asked.get('kind')}: {asked.get('code') or 'no code'} sees it."]


def _does_note(asked: Asked) -> str:
    audited.note_group(*asked.group, asked.get("text"), actor=asked.actor)
    return "Noted."


def _done(verb: Callable[..., Any], said: str) -> Callable[[Asked], str]:
    """Call an operating verb with the queue; `said` may name {queue} and {number}, its answer."""

    def does(asked: Asked) -> str:
        answer = verb(asked.queue, **asked.who)
        return said.format(queue=asked.queue, number=f"{answer or 0:,}")

    return does


def _does_replay(asked: Asked) -> str:
    return f"{_number(audited.retry_group(*asked.group, **asked.who), 'job')} in line again."


def _does_retry(asked: Asked) -> str:
    audited.retry(asked.get("job"), **asked.who)
    return "The job is in line again."


ACTIONS = {
    "pause": Action(
        title="Pause {queue}",
        button="Pause",
        says=_says_pause,
        does=_done(audited.pause, "{queue} is paused."),
    ),
    "resume": Action(
        title="Resume {queue}",
        button="Resume",
        says=_says_resume,
        does=_done(audited.resume, "{queue} goes on."),
    ),
    "drain": Action(
        title="Drain {queue}",
        button="Cancel these jobs",
        says=_says_drain,
        does=_done(audited.drain, "Cancelled {number} jobs of {queue}."),
        dangerous=True,
    ),
    "promote": Action(
        title="Promote what is delayed on {queue}",
        button="Promote",
        says=_says_promote,
        does=_done(audited.promote_all, "{number} jobs of {queue} may start now."),
    ),
    "clean": Action(
        title="Clean {queue}",
        button="Remove these jobs",
        says=_says_clean,
        does=_does_clean,
        dangerous=True,
        fields=("clean", "note"),
    ),
    "limits": Action(
        title="Limits of {queue}",
        button="Change",
        says=lambda _asked: ["They hold at once, for all workers, and until they are reset."],
        does=_does_limits,
        fields=("limits", "note"),
    ),
    "reset": Action(
        title="Reset the limits of {queue}",
        button="Reset",
        says=lambda asked: said_limits(asked.queue),
        does=_done(audited.clear_limits, "{queue} has the limits of the settings."),
    ),
    "replay": Action(
        title="Replay failures of {queue}", button="Replay", says=_says_replay, does=_does_replay
    ),
    "retry": Action(
        title="Replay one job of {queue}",
        button="Replay",
        says=lambda asked: [f"Runs job {asked.get('job')} again, with all its attempts."],
        does=_does_retry,
    ),
    "note": Action(
        title="Note on failures of {queue}",
        button="Keep",
        says=_says_note,
        does=_does_note,
        fields=("text",),
    ),
}
