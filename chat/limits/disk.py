"""Free space: what clients send is refused before a disk is full, so what was accepted can be finished."""

import shutil
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from chat.errors import StorageFull
from queueing.api.monitoring import CRITICAL, HealthWarning

from . import texts

#: Seconds after which a client can try again.
_RETRY_AFTER = 60.0


def check() -> None:
    """Raise `StorageFull` if a disk has less free space than MIN_FREE_MB. It costs some microseconds."""
    if is_nearly_full():
        raise StorageFull(texts.STORAGE_FULL, _RETRY_AFTER)


def is_nearly_full() -> bool:
    """Return whether the disk of the database file or of temporary files has little free space."""
    database, least = settings.DATABASES["default"], settings.MIN_FREE_MB * 2**20
    return any(_free(place) < least for place in _places(database["ENGINE"], str(database["NAME"])))


def _free(place: str) -> int:
    """Return the free bytes of the disk of a folder that exists."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return shutil.disk_usage(place).free
    return sys.maxsize


def places(database: Mapping[str, Any]) -> set[Path]:
    """Return the folders that grow. A database server watches its own disk: its refusal is an outage."""
    found = map(Path, _places(database["ENGINE"], str(database["NAME"])))
    return {place for place in found if place.is_dir()}


@lru_cache(maxsize=8)
def _places(engine: str, database: str) -> frozenset[str]:
    files = [str(Path(database).parent)] if engine.endswith("sqlite3") else []
    return frozenset({*files, tempfile.gettempdir()})


async def warnings() -> list[HealthWarning]:
    """Return the health warning about a disk that is nearly full."""
    if not is_nearly_full():
        return []
    return [HealthWarning(CRITICAL, "disk", "", texts.disk_nearly_full(settings.MIN_FREE_MB))]
