"""Counts of the help cards shown, without contents and without owners."""

import logging

from django.db import Error as DatabaseError
from django.db.models import F
from django.utils import timezone

from chat.companions.registry import COMPANIONS

from .models import CareCount

logger = logging.getLogger(__name__)


def count_card(companion: str, level: str) -> None:
    """Count one card for today. Blocks. A database error is logged: the count must not prevent the card."""
    companion = companion if companion in COMPANIONS else ""  # the client sends any text
    try:
        row, _ = CareCount.objects.get_or_create(
            day=timezone.localdate(), companion=companion, level=level, defaults={"shown": 0}
        )
        CareCount.objects.filter(pk=row.pk).update(shown=F("shown") + 1)
    except DatabaseError as exc:
        logger.warning("a help card was not counted: %s", exc)
