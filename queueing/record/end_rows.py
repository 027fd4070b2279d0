"""Write how runs ended into the rows of their jobs. The token of the claim guards each row (attempts.py)."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from queueing.states import State

from .run import Result

#: The most frequent end by far: jobs of one claim that completed without a result, in one statement. All get
#: the time of the last one, which differs by milliseconds.
_COMPLETE = """
UPDATE queueing_job
SET state = 'completed', finished_at = %s, text = '', error_code = '', error = ''
WHERE token = %s AND state = 'active' AND id IN ({ids})
RETURNING id, has_dependents
"""

_END = """
UPDATE queueing_job
SET state = %s, finished_at = %s, result = %s, text = %s, error_code = %s, error = %s, run_at = %s,
    attempts = attempts - %s, suspect = (suspect AND %s)
WHERE id = %s AND state = 'active' AND token = %s
"""


def write(results: Sequence[Result]) -> tuple[list[Result], list[Result]]:
    """Write results. Return those that found their row, and those among them that may have dependents."""
    won: list[Result] = []
    parents: list[Result] = []
    without_value: dict[str, dict[str, Result]] = defaultdict(dict)
    others: list[Result] = []
    for result in results:
        if result.value is None and result.state == State.COMPLETED:
            without_value[result.run.token][result.run.id] = result
        else:
            others.append(result)
    for token, ended in without_value.items():
        found = _complete(token, ended)
        won += [result for job_id, result in ended.items() if job_id in found]
        parents += [result for job_id, result in ended.items() if found.get(job_id)]
    if others:
        written = _write_each(others)
        won += written
        parents += written
    return won, parents


def _complete(token: str, ended: dict[str, Result]) -> dict[str, bool]:
    """Complete the jobs of one claim. Return those that were found: id -> whether it has dependents."""
    sql = _COMPLETE.format(ids=", ".join(["%s"] * len(ended)))
    last = next(reversed(ended.values()))
    with connection.cursor() as cursor:
        cursor.execute(sql, [connection.ops.adapt_datetimefield_value(last.ended_at), token, *ended])
        return {raw if isinstance(raw, str) else raw.hex: marked for raw, marked in cursor.fetchall()}


def _write_each(results: list[Result]) -> list[Result]:
    """Write results with values of their own, and return those that found their row."""
    try:
        with transaction.atomic():
            if _execute_end(results) < len(results):
                raise _RowsMissingError
    except _RowsMissingError:
        # The rows do not show which, since a row that was written before looks the same. So one by one.
        return [result for result in results if _execute_end([result])]
    return results


class _RowsMissingError(Exception):
    """Some rows of a batch were not found."""


def _execute_end(results: list[Result]) -> int:
    """Write results and return the number of rows written."""
    with connection.cursor() as cursor:
        cursor.executemany(_END, [_values(r) for r in results])
        return cursor.rowcount


def _values(result: Result) -> tuple[Any, ...]:
    adapt = connection.ops.adapt_datetimefield_value
    finished = result.state in (State.COMPLETED, State.FAILED)
    completed = result.state == State.COMPLETED
    delayed = result.state == State.DELAYED
    return (
        result.state.value,
        adapt(result.ended_at) if finished else None,
        None if result.value is None else json.dumps(result.value),
        "" if completed else result.text,
        result.code,
        result.error,
        adapt(result.ended_at + timedelta(seconds=result.delay)) if delayed else None,
        result.given_back + (0 if result.spent else 1),
        result.outcome == "stalled",
        result.run.id,
        result.run.token,
    )
