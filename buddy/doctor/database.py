"""The database: reachable, a supported version, all migrations, room for connections."""

from collections.abc import Iterator

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import NotSupportedError, OperationalError

from .findings import OK, PROBLEM, WARNING, Finding, one_line

ADVICE = "Is the server of DATABASE_URL running, and do user, password and name fit? docs/troubleshooting.md"
_SHOWN = 3
#: What connections ask for (buddy/settings/database.py).
_LIMITS = {"idle_in_transaction_session_timeout": "60s", "lock_timeout": "10s"}


def examine() -> Iterator[Finding]:
    """Yield what is to say about the default database. Raise `OperationalError` if it is unreachable."""
    try:
        connection.ensure_connection()
    except NotSupportedError as exc:
        yield Finding(PROBLEM, str(exc), "Update the database server.")
        return
    except OperationalError as exc:
        if "startup parameter" not in str(exc):
            raise
        yield Finding(
            PROBLEM, one_line(exc), "Set ignore_startup_parameters = options in PgBouncer (docs/deploy.md)."
        )
        return
    yield Finding(OK, _name())
    yield from _migrations()
    if connection.vendor == "postgresql":
        yield from _postgresql()
        yield from _limits_of_time()


def _name() -> str:
    version = ".".join(map(str, connection.get_database_version()))
    place = settings.DATABASES["default"]["HOST"] or settings.DATABASES["default"]["NAME"]
    return f"{connection.display_name} {version} ({place})"


def _migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = [str(migration) for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    newer = [
        f"{app}.{name}" for app, name in executor.loader.applied_migrations if _is_newer(executor, app, name)
    ]
    if missing:
        yield Finding(PROBLEM, f"{_some(missing)} not applied", "Run: manage.py migrate")
    elif newer:
        text = f"{_some(newer)} applied but unknown: this code is older than the database"
        yield Finding(WARNING, text, "After a roll back this works. Else: is this the right release?")
    else:
        yield Finding(OK, "all migrations are applied")


def _is_newer(executor: MigrationExecutor, app: str, name: str) -> bool:
    """Return whether an applied migration belongs to an app of this code, which does not have it."""
    loader = executor.loader
    return app in loader.migrated_apps and (app, name) not in loader.disk_migrations


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)} migration{'' if len(names) == 1 else 's'} ({', '.join(names[:_SHOWN])}{more})"


def _postgresql() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('max_connections')::int, pg_is_in_recovery(), "
            "(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')"
        )
        most, is_replica, used = cursor.fetchone()
    if is_replica:
        yield Finding(
            PROBLEM, "the server is a replica and takes no writes", "Name the primary in DATABASE_URL."
        )
    crowded = used > 0.8 * most
    advice = "Lower DB_POOL or the number of processes, or raise max_connections." if crowded else ""
    yield Finding(WARNING if crowded else OK, f"{used} of {most} connections are in use", advice)


def _limits_of_time() -> Iterator[Finding]:
    """Find limits that a pooler has dropped: it ignores what a connection asks for at its start."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM pg_settings WHERE setting = '0' "
            "AND name IN ('lock_timeout', 'idle_in_transaction_session_timeout')"
        )
        missing = sorted(name for (name,) in cursor.fetchall())
        cursor.execute("SELECT pg_backend_pid(), current_user")
        process, user = cursor.fetchone()
    if missing:
        rules = " ".join(f"ALTER ROLE \"{user}\" SET {name} = '{_LIMITS[name]}';" for name in missing)
        yield Finding(WARNING, f"statements have no {' and no '.join(missing)}", f"As the superuser: {rules}")
    elif process != connection.connection.info.backend_pid:
        yield Finding(OK, "a pooler is in between, and the role has the limits of time")
