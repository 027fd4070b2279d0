"""The registry of personal data: every table that holds data of an owner.

Each app registers its own when Django starts. Signing up merges the data into the user's, an export contains
it, and erasing deletes it:

    class UploadsConfig(AppConfig):
        def ready(self):
            personal_data.register(Upload, export=lambda upload: {"name": upload.name, "size": upload.size})

Rows that belong to an owner's row by a foreign key need no entry: they follow that row. So does data in
Redis, which `merge` and `erase` of the entry handle after the commit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

Export = Callable[[Any], dict[str, Any]]
Merge = Callable[[str, str], None]
Erase = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One kind of personal data, with the functions that merge, erase and export it."""

    name: str
    """The name of its file in an export."""
    model: type[Model]
    field: str
    """The field of `model` with the owner's key."""
    merge: Merge
    erase: Erase
    export: Export | None


#: By name, in the order of registration.
_entries: dict[str, Entry] = {}


def register(
    model: type[Model],
    *,
    field: str = "owner",
    export: Export | None = None,
    merge: Merge | None = None,
    erase: Erase | None = None,
) -> None:
    """Register `model`, whose `field` holds the owner's key.

    `export` returns a row as JSON data; without it the rows are in no export. `merge(old, new)` and
    `erase(owner)` replace the plain update and delete, for instance where the new owner may have a row for
    the same day. They run in a transaction and block.
    """

    def set_owner(old: str, new: str) -> None:
        model._default_manager.filter(**{field: old}).update(**{field: new})

    def delete(owner: str) -> None:
        model._default_manager.filter(**{field: owner}).delete()

    name = f"{model._meta.app_label}-{model._meta.model_name}"
    _entries[name] = Entry(
        name=name,
        model=model,
        field=field,
        merge=merge or set_owner,
        erase=erase or delete,
        export=export,
    )


def entries() -> list[Entry]:
    """Return all entries in the order of their registration."""
    return list(_entries.values())
