"""Files that only the account of this system user can read: `var/` and the database."""

import os
from collections.abc import Iterator
from pathlib import Path

#: Permission bits of the group and of all other users.
_OTHERS = 0o077


def keep_private(directory: Path) -> None:
    """Create `directory` for its owner alone, and let this process create only private files.

    A directory of an earlier version, which others could enter, is closed with all that is in it.
    """
    os.umask(_OTHERS)
    directory.mkdir(parents=True, exist_ok=True)
    if not is_open(directory):
        return
    for path in (*_inside(directory), directory):
        _close(path)


def _inside(directory: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(directory):
        yield from (Path(parent, name) for name in (*folders, *files))


def _close(path: Path) -> None:
    """Take the permissions of others. What belongs to another user stays as it is: a check reports it."""
    try:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~_OTHERS & 0o7777)
    except (FileNotFoundError, PermissionError):
        return


def is_open(path: Path) -> bool:
    """Return whether other users of the machine may do anything with the file."""
    try:
        return bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False


def open_files(directory: Path, database: str) -> list[Path]:
    """Return what of `directory`, of the files directly in it and of an SQLite database is open to others."""
    private = [directory, *sorted(directory.glob("*"))]
    if database:
        private += [Path(database + suffix) for suffix in ("", "-wal", "-shm", "-journal")]
    return [path for path in dict.fromkeys(private) if is_open(path)]
