"""Copy the recurring jobs that code declares to the record, at the start of each cluster."""

import logging

from django.db import transaction

from queueing.models import RecurringJob

from . import verbs
from .definition import declared, definition_of

logger = logging.getLogger(__name__)


def declare_all() -> None:
    """Store all declarations by name, and pause those that have left the code.

    Of clusters with different code, the one that starts last decides, as at the end of a deployment. An
    operator's pause stays.
    """
    definitions = {definition.name: definition for definition in declared()}
    with transaction.atomic():
        rows = {row.name: row for row in RecurringJob.objects.order_by("pk")}
        for name, definition in definitions.items():
            row = rows.get(name)
            if not row or row.left_code or not row.from_code or definition_of(row) != definition:
                verbs.store(definition, from_code=True)
                logger.info("stored the recurring job %s", name)
        for name, row in rows.items():
            if row.from_code and not row.paused and name not in definitions:
                verbs.pause(name, left_code=True)
                logger.warning("paused the recurring job %s: it is no longer in the code", name)
