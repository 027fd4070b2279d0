"""The HTML of replies: rendered when it is first read, and kept in the database. Blocks."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from django.db import DatabaseError

from chat.markdown.render import render, rendering_digest
from chat.models import Message, Rendering


def html_of(messages: Sequence[Message]) -> dict[UUID, str]:
    """Return the HTML of each message by its id."""
    digests = {message.pk: rendering_digest(message.content) for message in messages}
    kept = Rendering.objects.filter(pk__in=digests)
    html = {row.pk: row.html for row in kept if row.digest == digests[row.pk]}
    for message in messages:
        if message.pk not in html:
            html[message.pk] = render(message.content)
            _keep(Rendering(message=message, digest=digests[message.pk], html=html[message.pk]))
    return html


def _keep(row: Rendering) -> None:
    # Each row for itself: a transaction with many could deadlock with one that deletes the messages.
    with suppress(DatabaseError):  # the message was deleted meanwhile, or the database takes no writes
        Rendering.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["message"], update_fields=["digest", "html"]
        )
