"""Counting what was shown, without content and without a name. Never in the way of showing it."""

import logging

from django.db import Error as DatabaseError
from django.db.models import F
from django.utils import timezone

from chat.companions.registry import COMPANIONS

from .models import CareCount

logger = logging.getLogger(__name__)


def count(companion: str, level: str) -> None:
    """One more card on this day. Blocks; a database that is away loses the count, and nothing else."""
    companion = companion if companion in COMPANIONS else ""  # it is the client's word
    try:
        row, _ = CareCount.objects.get_or_create(
            day=timezone.localdate(), companion=companion, level=level, defaults={"shown": 0}
        )
        CareCount.objects.filter(pk=row.pk).update(shown=F("shown") + 1)
    except DatabaseError as exc:
        logger.warning("a care card is not counted: %s", exc)
