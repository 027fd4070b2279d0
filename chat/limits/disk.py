"""Free space: what clients send is refused before a disk is full, so what was accepted can be finished."""

import shutil
import tempfile
from collections.abc import Mapping
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
    return any(
        shutil.disk_usage(place).free < settings.MIN_FREE_MB * 2**20
        for place in places(settings.DATABASES["default"])
    )


def places(database: Mapping[str, Any]) -> set[Path]:
    """Return the folders that grow. A database server watches its own disk: its refusal is an outage."""
    files = {Path(database["NAME"]).parent} if database["ENGINE"].endswith("sqlite3") else set()
    return {place for place in {*files, Path(tempfile.gettempdir())} if place.is_dir()}


async def warnings() -> list[HealthWarning]:
    """Return the health warning about a disk that is nearly full."""
    if not is_nearly_full():
        return []
    return [HealthWarning(CRITICAL, "disk", "", texts.disk_nearly_full(settings.MIN_FREE_MB))]
