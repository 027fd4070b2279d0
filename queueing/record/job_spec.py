"""Describe, check and build a new job. Each error names the field, and says what is allowed."""

import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from queueing.conf import QueueDef, get_conf, get_queue
from queueing.errors import BadSubmission
from queueing.kinds import Kind, get_kind
from queueing.models import Job, JobTag
from queueing.options import NO_OPTIONS, Options, merged_tags, with_limits
from queueing.states import State
from queueing.unique import Unique
from queueing.values.cleaning import MAX_DEPTH
from queueing.values.ids import new_id
from queueing.values.numbers import YEAR, is_number

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
#: Control characters, and halves of surrogate pairs.
_UNUSABLE_CHARACTERS = re.compile(r"[\x00-\x1f\ud800-\udfff]")
#: An escaped NUL in JSON. After an escaped backslash the same six characters are ordinary text.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False).encode
#: A row in the order of its fields: Django makes an instance of positional values in a third of the time.
_BLANK = {field.attname: field.get_default() for field in Job._meta.concrete_fields}


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSpec:
    """A job as its submitter describes it, apart from its arguments. `submit` explains the fields."""

    kind: str
    queue: str = ""
    """The queue; empty for that of the kind."""
    owner: str = ""
    share: str = ""
    request_id: str = ""
    priority: int | None = None
    delay: float = 0.0
    meta: dict[str, str] | None = None
    job_id: UUID | None = None
    options: Options = NO_OPTIONS
    unique: Unique | None = None

    def build(self, args: dict[str, Any]) -> Job:
        """Return a checked, unsaved row for JSON `args`. Raise `BadSubmission` naming the field."""
        return self.build_many([args])[0]

    def build_many(self, many_args: Iterable[dict[str, Any]]) -> list[Job]:
        """Return a checked, unsaved row for each of `many_args`. Raise `BadSubmission` naming the field."""
        kind = get_kind(self.kind)
        queue = get_queue(self.queue or kind.queue)
        _check(self)
        return [self._row(kind, queue, args) for args in many_args]

    def tags_of(self, jobs: Iterable[Job]) -> list[JobTag]:
        """Return unsaved rows for the tags of these jobs: its own, and those of the kind."""
        tags = merged_tags(get_kind(self.kind).options.tags, self.options.tags)
        return [JobTag(job=job, tag=tag) for job in jobs for tag in tags] if tags else []

    def _deadline(self, kind: Kind, run_at: datetime) -> datetime | None:
        """Return the time after which a job does not start that may run at `run_at`."""
        expires = self.options.expires or kind.options.expires
        if not isinstance(expires, datetime):
            return run_at + timezone.timedelta(seconds=expires) if expires else None
        if self.delay and expires <= run_at:
            raise BadSubmission("expires", "the job could never start: its delay ends later")
        return expires

    def _stored_options(self, of_kind: Options, args: dict[str, Any]) -> dict[str, Any] | None:
        stored = None if self.options is NO_OPTIONS else self.options.stored()
        return with_limits(stored, of_kind.limits, args, self.owner) if of_kind.limits else stored

    def _row(self, kind: Kind, queue: QueueDef, args: dict[str, Any]) -> Job:
        _check_args(args)
        if refusal := kind.refusal(tuple(args)):
            raise BadSubmission("args", f"the handler of {self.kind!r} does not take these: {refusal}")
        now = timezone.now()
        run_at = now + timezone.timedelta(seconds=self.delay) if self.delay else None
        row = _BLANK | {
            "id": self.job_id or new_id(),
            "kind": self.kind,
            "kind_version": kind.version,
            "queue": queue.name,
            "owner": self.owner,
            "share": self.share,
            "request_id": self.request_id,
            "args": args,
            "meta": self.meta or {},
            "state": State.DELAYED if self.delay else State.WAITING,
            "priority": self.priority or queue.priority,
            "max_attempts": queue.attempts,
            "run_at": run_at,
            "created_at": now,
        }
        if self.options is not NO_OPTIONS or kind.options is not NO_OPTIONS:
            row["max_attempts"] = self.options.attempts or kind.options.attempts or queue.attempts
            row["options"] = self._stored_options(kind.options, args)
            row["expires_at"] = self._deadline(kind, run_at or now)
        if self.unique:
            row |= self._key(self.unique, kind, args, row["options"])
        return Job(*row.values())

    def _key(self, unique: Unique, kind: Kind, args: dict[str, Any], options: Any) -> dict[str, Any]:
        """Return the fields of a unique job."""
        if unique.period:
            options = (options or {}) | {"unique_until": time.time() + unique.period}
        key = unique.key_of(kind.name, self.owner, args)
        return {"unique_key": key, "unique_span": unique.until, "options": options}


def max_payload() -> int:
    """Return the largest size of a job's arguments, in bytes of JSON (`QUEUEING["MAX_PAYLOAD"]`)."""
    return get_conf().max_payload


def list_of_jobs(field: str, jobs: object) -> list[Job]:
    """Return the jobs as a list. Raise `BadSubmission` naming the field for anything else."""
    if isinstance(jobs, Iterable) and not isinstance(jobs, str | bytes | dict):
        found = list(jobs)
        if all(isinstance(job, Job) for job in found):
            return found
    raise BadSubmission(field, f"use a list of jobs, not {type(jobs).__name__}")


def _check(spec: JobSpec) -> None:
    """Raise `BadSubmission` for the first field with a wrong value. Callers without types reach it, too."""
    _check_delay(spec.delay)
    if spec.unique is not None and not isinstance(spec.unique, Unique):
        raise BadSubmission("unique", "use Unique(…)")
    priority: object = spec.priority
    if priority is not None and not (_is_int(priority) and 1 <= priority <= 1000):  # type: ignore[operator]
        raise BadSubmission("priority", "use a whole number from 1 (first) to 1000")
    _check_names(spec)
    if spec.meta is not None:
        _check_meta(spec.meta)
    if spec.job_id is not None and not (isinstance(spec.job_id, UUID) and spec.job_id.version == 7):
        raise BadSubmission("job_id", "use an id that new_id() has made")


def _check_names(spec: JobSpec) -> None:
    request_id: object = spec.request_id
    if not isinstance(request_id, str) or (request_id and not _REQUEST_ID.fullmatch(request_id)):
        raise BadSubmission("request_id", "use 1 to 64 characters: letters, digits and . _ : -")
    names: dict[str, object] = {"owner": spec.owner, "share": spec.share}
    for field, name in names.items():
        if not isinstance(name, str) or len(name) > 64 or _UNUSABLE_CHARACTERS.search(name):
            raise BadSubmission(field, "use text of up to 64 characters without control characters")


def _check_meta(meta: object) -> None:
    if not isinstance(meta, dict) or not all(isinstance(x, str) for pair in meta.items() for x in pair):
        raise BadSubmission("meta", "use a dict of text to text")
    _check_size("meta", meta)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_delay(delay: object) -> None:
    if not is_number(delay) or not 0 <= delay <= YEAR:  # type: ignore[operator]
        raise BadSubmission("delay", f"use a number of seconds from 0 to {YEAR} (a year)")


def _check_args(args: object) -> None:
    if not isinstance(args, dict) or not all(isinstance(name, str) for name in args):
        raise BadSubmission("args", f"use a dict of keyword arguments, not {type(args).__name__}")
    _check_size("args", args)


def _check_size(field: str, value: dict[str, Any]) -> None:
    size = len(checked_json(field, value))
    if size > (maximum := get_conf().max_payload):
        raise BadSubmission(
            field,
            f"{size} bytes of JSON are too many: use at most {maximum}; store the rest and pass its id",
        )


def checked_json(field: str, value: Any) -> bytes:
    """Return `value` as JSON that every supported database stores and every process reads as it was given.

    Raise `BadSubmission` naming the field.
    """
    _check_shape(field, value, MAX_DEPTH)
    try:
        text = _encode(value)
        encoded = text.encode()  # raises for lone surrogates, which are not text
    except (TypeError, ValueError) as exc:
        raise BadSubmission(field, f"not JSON: {exc}") from None
    if _NUL.search(text):
        raise BadSubmission(field, "it contains NUL characters, which PostgreSQL cannot store")
    return encoded


def _check_shape(field: str, value: object, levels: int) -> None:
    """Raise `BadSubmission` for values nested too deep, and for keys that JSON would turn into text."""
    if not isinstance(value, dict | list | tuple):
        return
    if levels == 0:
        raise BadSubmission(field, f"it is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise BadSubmission(field, f"the key {key!r} is not text, and JSON would turn it into text")
        value = value.values()
    for item in value:
        if isinstance(item, dict | list | tuple):
            _check_shape(field, item, levels - 1)
