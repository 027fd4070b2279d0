"""Begin, rename and delete threads. Plain functions, each one transaction; they block.

`Thread.DoesNotExist` also means that the thread belongs to another owner.
"""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from chat.answer_cache.store import forget_thread
from chat.branches.choice import branch_event, lock
from chat.branches.removal import choose_what_is_left, remove
from chat.companions.registry import COMPANIONS
from chat.errors import Conflict, InvalidInput
from chat.models import Message, Role, Thread, ThreadName
from chat.replies import texts as reply_texts
from chat.replies import thoughts
from chat.replies.titles import renamed_event, title_from
from chat.uploads import storage
from queueing.api import UNFINISHED, Job, WrongState, cancel, events, parent_ids

from . import selectors, texts
from .blank import is_blank
from .characters import check_characters


def thread_for(owner: str, companion: str, text: str, thread_id: UUID | str | None) -> Thread:
    """Return the thread with this id or client's name, or a new one titled with the beginning of `text`.

    A new thread without a name is not saved yet. Must be called within a transaction.
    """
    if thread_id is None:
        return Thread(owner=owner, companion=companion, title=title_from(text))
    if isinstance(thread_id, str):
        return _named_thread(Thread(owner=owner, companion=companion, title=title_from(text)), thread_id)
    thread = selectors.thread(owner=owner, thread_id=thread_id)
    if thread.companion != companion:
        raise InvalidInput("companion", texts.other_companion(thread.companion))
    return thread


def _named_thread(new: Thread, name: str) -> Thread:
    """Return the owner's thread with this name, or `new`, saved. Requests at the same moment get the same."""
    row, is_new = ThreadName.objects.select_related("thread").get_or_create(
        owner=new.owner, companion=new.companion, name=name, defaults={"thread_id": new.id}
    )
    if not is_new:
        return row.thread
    new.updated_at = timezone.now()
    new.save()  # after its name: the database checks the reference at the end of the transaction
    return new


def merge_names(old: str, new: str) -> None:
    """Give the names of threads of the owner `old` to `new`, which keeps its own thread of the same name."""
    taken = ThreadName.objects.filter(owner=new, companion=OuterRef("companion"), name=OuterRef("name"))
    ThreadName.objects.filter(Exists(taken), owner=old).delete()
    ThreadName.objects.filter(owner=old).update(owner=new)


def check_companion(thread: Thread) -> None:
    """Raise `Conflict` when the thread's companion was removed: nothing can be asked of it."""
    if thread.companion not in COMPANIONS:
        raise Conflict(reply_texts.NO_COMPANION)


def rename_thread(*, owner: str, thread_id: UUID, title: str) -> Thread:
    """Give a thread another title; it keeps its place in the list."""
    title = " ".join(check_characters(title, "title").split())
    maximum = Thread._meta.get_field("title").max_length
    if len(title) > maximum or is_blank(title):
        raise InvalidInput("title", texts.title_length(maximum))
    thread = selectors.thread(owner=owner, thread_id=thread_id)
    thread.title, thread.has_custom_title = title, True
    thread.save(update_fields=["title", "has_custom_title"])
    events.emit_sync(owner, renamed_event(thread, title))
    return thread


def follow_first_question(thread: Thread, changed: UUID) -> None:
    """Let an automatic title follow the first question, if no chosen message is before `changed`.

    In a transaction, after the jobs were changed: a worker locks a job before its thread, so must the caller.
    """
    chosen = thread.messages.filter(is_chosen=True)
    if thread.has_custom_title or chosen.filter(id__lt=changed).exists():
        return
    first = chosen.filter(role=Role.USER).exclude(content="").first()
    automatic = Thread.objects.filter(id=thread.id, has_custom_title=False)
    if first and automatic.update(title=(title := title_from(first.content))):
        transaction.on_commit(lambda: events.emit_sync(thread.owner, renamed_event(thread, title)))


def delete_thread(*, owner: str, thread_id: UUID) -> None:
    """Delete a thread with its messages, cancel its unfinished jobs, and erase what its jobs store."""
    thread = selectors.thread(owner=owner, thread_id=thread_id)
    job_ids = list(thread.messages.values_list("job_id", flat=True))
    _cancel_unfinished(job_ids)
    with transaction.atomic():
        forget_jobs([*job_ids, *thread.messages.values_list("job_id", flat=True)])
        thread.delete()
        deleted = {"type": "thread:deleted", "threadId": thread_id.hex}
        transaction.on_commit(partial(events.emit_sync, owner, deleted))
        transaction.on_commit(partial(forget_thread, thread_id.hex))


def erase_threads(owner: str) -> None:
    """Delete all threads of an owner, and the answers that were stored from them. In a transaction."""
    threads = Thread.objects.filter(owner=owner)
    ids = list(threads.values_list("id", flat=True))
    threads.delete()
    for thread_id in ids:
        transaction.on_commit(partial(forget_thread, thread_id.hex), robust=True)


def delete_message(message: Message) -> None:
    """Delete one message, cancel its job if it is unfinished, and erase what the job stores."""
    _cancel_unfinished([message.job_id])
    with transaction.atomic():
        lock(message.thread_id)
        remove_messages(message.thread, Message.objects.filter(id=message.pk))
        transaction.on_commit(partial(forget_thread, message.thread_id.hex))


def remove_messages(thread: Thread, messages: QuerySet[Message]) -> events.Event:
    """Delete messages of a locked thread and what their jobs store. Return the `thread:removed` event.

    The owner's sockets get it, and `thread:branch` if another branch takes the place of what was removed. In
    a transaction.
    """
    job_of = dict(messages.values_list("id", "job_id"))
    remove(thread.pk, job_of)
    leaf = choose_what_is_left(thread.pk)
    forget_jobs(job_of.values())
    ids = [message_id.hex for message_id in job_of]
    removed: events.Event = {"type": "thread:removed", "threadId": thread.pk.hex, "messageIds": ids}
    transaction.on_commit(partial(events.emit_sync, thread.owner, removed))
    if leaf:
        chosen = branch_event(thread.pk, leaf, "removed")
        transaction.on_commit(partial(events.emit_sync, thread.owner, chosen))
    return removed


def _cancel_unfinished(job_ids: Iterable[UUID]) -> None:
    for job in Job.objects.filter(id__in=job_ids, state__in=UNFINISHED):
        with suppress(WrongState):  # it ended in the meantime
            cancel(job.id)


def forget_jobs(job_ids: Iterable[UUID]) -> None:
    """Erase the texts that jobs of deleted messages store, and the files that they would have read.

    Also those of a recording's transcription, on which its reply's job depends.
    """
    ids = set(job_ids)
    ids |= parent_ids(ids)
    Job.objects.filter(id__in=ids).update(result=None, text="")
    storage.discard_of_jobs(ids)
    transaction.on_commit(partial(thoughts.forget, ids))
