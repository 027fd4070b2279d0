"""Companions that were taken out of the settings: their conversations stay (P24)."""

from chat.models import Thread

from .registry import COMPANIONS


def removed_companions() -> list[str]:
    """Return the companions that only threads name. Blocks: an index lookup for each name."""
    rows = Thread.objects.order_by("companion").values_list("companion", flat=True)
    found, name = [], rows.first()
    while name is not None:
        found.append(name)
        name = rows.filter(companion__gt=name).first()
    return [name for name in found if name not in COMPANIONS]
