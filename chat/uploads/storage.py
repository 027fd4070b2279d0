"""Keeping files from the request that brings them to the job that reads them. Plain functions; they block.

upload = store(owner=…, name=…, stream=…)    in the web process
bind(upload, job)                            in the transaction that submits the job
read(upload.id)                              in the worker
discard(upload.id)                           when the job is done with it
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import BinaryIO
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from chat.errors import InvalidInput, LimitReached
from queueing.api import UNFINISHED, Job

from .models import Upload, UploadChunk

#: Bytes of one file; what OpenAI takes of audio.
MAX_BYTES = 25 * 1024 * 1024
#: Bytes that one owner's files may have together.
MAX_OF_OWNER = 100 * 1024 * 1024
#: How long a file stays that no unfinished job needs.
KEEP = timedelta(hours=24)

_CHUNK = 1024 * 1024
#: Files that one sweep removes, so that nobody waits long for it.
_AT_ONCE = 20


def store(
    *, owner: str, name: str, stream: BinaryIO, media_type: str = "", max_bytes: int = MAX_BYTES
) -> Upload:
    """Keep what can be read from `stream`, for 24 hours at least.

    Raises `InvalidInput("file", …)` when it is empty or has more than `max_bytes`, and `LimitReached` when
    the owner has too much here already; then nothing is kept.
    """
    with transaction.atomic():
        upload = Upload.objects.create(owner=owner, name=_shown(name), media_type=media_type)
        for number, data in enumerate(iter(lambda: stream.read(_CHUNK), b"")):
            upload.size += len(data)
            if upload.size > max_bytes:
                raise InvalidInput("file", f"This file is larger than {max_bytes // 2**20} MB.")
            UploadChunk.objects.create(upload=upload, number=number, data=data)
        if not upload.size:
            raise InvalidInput("file", "This file is empty.")
        upload.save(update_fields=["size"])
        total = Upload.objects.filter(owner=owner).aggregate(total=Sum("size"))["total"]
        if total > MAX_OF_OWNER:
            message = "Your files that wait here are too many already. Please let them be worked on first."
            raise LimitReached("owner_limit", message, 60.0)
    return upload


def _shown(name: str) -> str:
    """The last part of a file's name on one line, the end of it kept when it is long."""
    last = name.replace("\\", "/").rpartition("/")[2]
    line = "".join(c for c in last if c.isprintable()).strip()
    most = Upload._meta.get_field("name").max_length or 0
    return line[-most:] or "file"


def bind(upload: Upload, job: Job) -> None:
    """Let the file stay for as long as `job` is unfinished."""
    Upload.objects.filter(id=upload.id).update(job_id=job.id)


def read(upload_id: UUID | str) -> bytes:
    """The whole file; `Upload.DoesNotExist` once it has been removed."""
    upload = Upload.objects.get(id=upload_id)
    return b"".join(bytes(data) for data in upload.chunks.values_list("data", flat=True))


def discard(upload_id: UUID | str) -> None:
    """Remove the file, if it is still there."""
    Upload.objects.filter(id=upload_id).delete()


def discard_of_jobs(job_ids: Iterable[UUID]) -> None:
    """Remove what these jobs were to read."""
    Upload.objects.filter(job_id__in=list(job_ids)).delete()


def sweep() -> int:
    """Remove some files that are older than a day and that no unfinished job needs; how many."""
    needed = Job.objects.filter(state__in=UNFINISHED).values("id")
    old = Upload.objects.filter(created_at__lt=timezone.now() - KEEP)
    old = old.exclude(job_id__isnull=False, job_id__in=needed).order_by("created_at")
    ids = list(old.values_list("id", flat=True)[:_AT_ONCE])
    Upload.objects.filter(id__in=ids).delete()
    return len(ids)
