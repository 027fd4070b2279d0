"""What an owner owns: the one list of it, in which each part enters its tables when Django starts.

Signing up moves all of it to the user, an export shows it, and erasing leaves nothing of it behind:

    class UploadsConfig(AppConfig):
        def ready(self):
            owned.register(Upload, export=lambda upload: {"name": upload.name, "size": upload.size})

Rows that hang on an owner's rows by a foreign key need no entry: they follow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

Export = Callable[[Any], dict[str, Any]]
Move = Callable[[str, str], None]
Erase = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Belonging:
    """One kind of thing that owners have, and how to move, erase and export it."""

    name: str
    """What its file is called in an export."""
    model: type[Model] | None
    """None for what is not in the database."""
    field: str
    move: Move
    erase: Erase
    export: Export | None


#: By name, in the order of registration.
_belongings: dict[str, Belonging] = {}


def register(
    model: type[Model],
    *,
    field: str = "owner",
    export: Export | None = None,
    move: Move | None = None,
    erase: Erase | None = None,
) -> None:
    """Enter `model`, whose `field` holds the owner's key.

    `export` gives a row as what JSON can hold; without it the rows are in no export. `move(old, new)`
    and `erase(owner)` stand in for the plain update and delete, for instance where the new owner may
    have a row for the same day. They run in a transaction and block.
    """

    def set_owner(old: str, new: str) -> None:
        model._default_manager.filter(**{field: old}).update(**{field: new})

    def delete(owner: str) -> None:
        model._default_manager.filter(**{field: owner}).delete()

    name = f"{model._meta.app_label}-{model._meta.model_name}"
    _belongings[name] = Belonging(
        name=name,
        model=model,
        field=field,
        move=move or set_owner,
        erase=erase or delete,
        export=export,
    )


def register_elsewhere(name: str, *, erase: Erase, move: Move = lambda old, new: None) -> None:
    """Enter what is kept outside the database, such as a cache in Redis.

    Called after the database's changes are committed; an error is logged and stops nothing.
    """
    _belongings[name] = Belonging(name=name, model=None, field="", move=move, erase=erase, export=None)


def belongings() -> list[Belonging]:
    """All that was entered."""
    return list(_belongings.values())
