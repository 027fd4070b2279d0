"""Storage of uploaded files, from the request that sends them to the job that reads them. Functions block.

upload = store(owner=…, name=…, stream=…)    in the web process
bind(upload, job)                            in the transaction that submits the job
read(upload.id)                              in the worker
discard(upload.id)                           when the job has read it
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Sum
from django.utils import timezone

from chat.errors import InvalidInput, LimitReached, StorageFull
from queueing.api import UNFINISHED, Job

from . import texts
from .models import Upload, UploadChunk

#: Maximum bytes of one file; OpenAI's limit for audio.
MAX_BYTES = 25 * 1024 * 1024
#: Maximum bytes of all files of one owner.
MAX_BYTES_PER_OWNER = 100 * 1024 * 1024
#: Seconds after which an owner with too many files can try again.
_RETRY_AFTER = 60.0
#: A file is kept for this time, and for this time after the end of its job, which can be retried.
KEEP = timedelta(hours=24)

#: Bytes of one stored chunk.
_CHUNK_BYTES = 1024 * 1024
#: Maximum files that one sweep deletes, so that it takes little time.
_SWEEP_FILES = 20


def store(
    *, owner: str, name: str, stream: BinaryIO, media_type: str = "", max_bytes: int = MAX_BYTES
) -> Upload:
    """Store the contents of `stream` for at least 24 hours.

    Raises `InvalidInput("file", …)` when it is empty or has more than `max_bytes`, and `LimitReached` when
    the owner has too many files here, and `StorageFull` when all owners have; then nothing is stored.
    """
    with transaction.atomic():
        upload = Upload.objects.create(owner=owner, name=_display_name(name), media_type=media_type)
        for number, data in enumerate(iter(lambda: stream.read(_CHUNK_BYTES), b"")):
            upload.size += len(data)
            if upload.size > max_bytes:
                raise InvalidInput("file", texts.too_large(max_bytes))
            UploadChunk.objects.create(upload=upload, number=number, data=data)
        if not upload.size:
            raise InvalidInput("file", texts.EMPTY_FILE)
        upload.save(update_fields=["size"])
        total = Upload.objects.filter(owner=owner).aggregate(total=Sum("size"))["total"]
        if total > MAX_BYTES_PER_OWNER:
            raise LimitReached("owner_limit", texts.TOO_MANY_FILES, _RETRY_AFTER)
        if Upload.objects.aggregate(total=Sum("size"))["total"] > settings.MAX_UPLOADS_MB * 2**20:
            raise StorageFull(texts.TOO_MANY_FILES_OF_ALL, _RETRY_AFTER)
    return upload


def _display_name(name: str) -> str:
    """Return the last part of a path on one line, shortened at the start if it is too long."""
    last = name.replace("\\", "/").rpartition("/")[2]
    line = "".join(c for c in last if c.isprintable()).strip()
    max_length = Upload._meta.get_field("name").max_length or 0
    return line[-max_length:] or "file"


def bind(upload: Upload, job: Job) -> None:
    """Keep the file while `job` is unfinished."""
    Upload.objects.filter(id=upload.id).update(job_id=job.id)


def read(upload_id: UUID | str) -> bytes:
    """Return the whole file. Raises `Upload.DoesNotExist` after it was removed."""
    upload = Upload.objects.get(id=upload_id)
    return b"".join(bytes(data) for data in upload.chunks.values_list("data", flat=True))


def discard(upload_id: UUID | str) -> None:
    """Delete the file, if it still exists."""
    Upload.objects.filter(id=upload_id).delete()


def discard_of_jobs(job_ids: Iterable[UUID]) -> None:
    """Delete the files of these jobs."""
    Upload.objects.filter(job_id__in=list(job_ids)).delete()


def sweep() -> int:
    """Delete some files older than a day whose job, if any, finished a day ago; return their number."""
    before = timezone.now() - KEEP
    needed = Job.objects.filter(Q(state__in=UNFINISHED) | Q(finished_at__gte=before), id=OuterRef("job_id"))
    old = Upload.objects.filter(~Exists(needed), created_at__lt=before).order_by("created_at")
    ids = list(old.values_list("id", flat=True)[:_SWEEP_FILES])
    Upload.objects.filter(id__in=ids).delete()
    return len(ids)
