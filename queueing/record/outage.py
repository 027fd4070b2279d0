"""Distinguish a database that is unavailable from one that refuses a single statement."""

from collections.abc import Iterator

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError

#: SQLSTATEs of PostgreSQL, by their beginnings: no connection, rolled back for another transaction (a
#: deadlock), no resources, shutdown, broken disk, no primary, and a lock that was not released in time.
_STATES = ("08", "40", "53", "57P", "58", "25006", "55P03")
#: Result codes of SQLite: BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN and PROTOCOL.
_CODES = frozenset({5, 6, 8, 10, 13, 14, 15})
#: SQLSTATE and result code of a full disk.
_FULL_STATE, _FULL_CODE = "53100", 13


def is_outage(error: BaseException) -> bool:
    """Return whether `error`, or an error that caused it, says that the database cannot be used now.

    The database is unreachable, shuts down, has no free connection, is read-only, is locked, or its disk is
    full. The same statement may succeed later.
    """
    return any(_is_outage(cause) for cause in _causes(error) if isinstance(cause, DatabaseError))


def is_full(error: BaseException) -> bool:
    """Return whether `error` says that the disk is full: small writes may succeed nevertheless."""
    return any(
        getattr(cause, "sqlstate", None) == _FULL_STATE or _result_code(cause) == _FULL_CODE
        for cause in _causes(error)
    )


def is_database_error(error: BaseException) -> bool:
    """Return whether `error` is an error of the database, or was caused by one."""
    return any(isinstance(cause, DatabaseError) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: list[BaseException | None] = [error]
    while following:
        cause = following.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        following += [cause.__cause__, None if cause.__suppress_context__ else cause.__context__]
        following += getattr(cause, "exceptions", ())


def _is_outage(error: DatabaseError) -> bool:
    driver = error.__cause__
    if state := getattr(driver, "sqlstate", None):
        return str(state).startswith(_STATES)
    if (code := _result_code(driver)) is not None:
        return code in _CODES
    # Without a code the server did not answer: the connection broke, or there was none.
    return isinstance(error, OperationalError | InterfaceError)


def _result_code(error: BaseException | None) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF  # the higher bits are details
