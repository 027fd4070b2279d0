"""This machine: free space, files that the program must be able to write, static files."""

import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage

from chat.limits import disk

from .findings import OK, PROBLEM, WARNING, Finding

#: Free space of which more is not needed, as a multiple of MIN_FREE_MB.
_ROOMY = 3


def examine_disk() -> Iterator[Finding]:
    """Yield the free space where files grow."""
    for place in sorted({*disk.places(settings.DATABASES["default"]), settings.VAR_DIR}):
        free = shutil.disk_usage(place).free / 2**20
        level = OK if free >= _ROOMY * settings.MIN_FREE_MB else WARNING
        level = PROBLEM if free < settings.MIN_FREE_MB else level
        advice = "Free some space: what clients send is refused below MIN_FREE_MB." if level != OK else ""
        yield Finding(level, f"{free:.0f} MB are free at {place}", advice)


def examine_files() -> Iterator[Finding]:
    """Yield files that this user cannot write, such as those that root made. Open ones are a system check."""
    closed = [path for path in _written() if not os.access(path, os.W_OK)]
    for path in closed:
        advice = f"Run: chown -R {_user()} {path}. Run manage.py as the user of the services."
        yield Finding(PROBLEM, f"{_user()} cannot write {path}, which belongs to {_owner(path)}", advice)
    foreign = [path for path in _written() if os.getuid() == 0 and path.stat().st_uid]
    for path in foreign:
        text = f"this command runs as root, but {path} belongs to {_owner(path)}"
        yield Finding(
            WARNING, text, f"Run it as {_owner(path)}: files that root makes are closed to the services."
        )
    if not closed and not foreign:
        yield Finding(OK, f"{_user()} can write all files of the program")


def _written() -> list[Path]:
    places = [settings.VAR_DIR, *settings.VAR_DIR.glob("*")]
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        name = Path(database["NAME"])
        places += [name.parent, *(Path(f"{name}{end}") for end in ("", "-wal", "-shm"))]
    return [path for path in dict.fromkeys(places) if path.exists()]


def _user() -> str:
    return _name(os.getuid())


def _owner(path: Path) -> str:
    return _name(path.stat().st_uid)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def examine_static() -> Iterator[Finding]:
    """Yield whether `collectstatic` has run for this code."""
    if not isinstance(staticfiles_storage, ManifestFilesMixin):
        yield Finding(OK, "served from their sources")
        return
    ignored = apps.get_app_config("staticfiles").ignore_patterns
    names = [name for finder in finders.get_finders() for name, _ in finder.list(ignored)]
    missing = [name for name in names if not _is_collected(name)]
    if missing:
        text = f"{len(missing)} of {len(names)} files are not in {settings.STATIC_ROOT}, such as {missing[0]}"
        yield Finding(
            PROBLEM, text, "Run: manage.py collectstatic --noinput, then restart the web processes."
        )
    else:
        yield Finding(OK, f"{len(names)} files are collected in {settings.STATIC_ROOT}")


def _is_collected(name: str) -> bool:
    try:
        return bool(staticfiles_storage.exists(staticfiles_storage.stored_name(name)))
    except ValueError:  # the manifest does not have it
        return False
