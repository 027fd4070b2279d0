"""The folded texts of messages: made by the first search that reads them, and kept. Blocks."""

from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from chat.models import FoldedText, Message, Thread

from .folding import RULES, fold

#: Messages that are folded at a time.
_BATCH = 200


def fold_new(threads: list[Thread]) -> Iterator[tuple[Message, str]]:
    """Fold the messages of threads that are not folded yet, and keep what is complete.

    Yield each message (its id, thread, branch and content) and its folded text.
    """
    kept = FoldedText.objects.filter(message=OuterRef("pk"), rules=RULES)
    rows = Message.objects.filter(~Exists(kept), thread__in=threads).exclude(content="")
    new = sorted(rows.values_list("id", flat=True))
    for first in range(0, len(new), _BATCH):
        some = Message.objects.filter(id__in=new[first : first + _BATCH])
        for message in some.only("id", "thread_id", "is_chosen", "content"):
            yield message, fold(message.content)
        with suppress(DatabaseError):  # it takes no writes at the moment: folded again by the next search
            _keep(some)


@transaction.atomic
def _keep(messages: QuerySet[Message]) -> None:
    """Store the folded texts of complete messages: an incomplete answer may be replaced.

    The messages are read again and locked, so that no text is kept that was changed meanwhile. Those that
    another transaction has locked are left out: one that deletes them could be waiting for this one.
    """
    locked = messages.select_for_update(skip_locked=True, no_key=True).filter(is_incomplete=False)
    rows = [
        FoldedText(message_id=message_id, rules=RULES, text=fold(content))
        for message_id, content in locked.order_by("id").values_list("id", "content")
    ]
    FoldedText.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["message"], update_fields=["rules", "text"]
    )


def forget(message_id: UUID) -> None:
    """Delete the folded text of a message whose text has changed."""
    FoldedText.objects.filter(message=message_id).delete()
