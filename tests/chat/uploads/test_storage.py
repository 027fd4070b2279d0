"""Uploaded files, from the request that sends them to the job that reads them."""

from datetime import datetime, timedelta
from io import BytesIO

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from chat.errors import InvalidInput, LimitReached
from chat.uploads import storage
from chat.uploads.models import Upload, UploadChunk
from queueing.api import Job, State
from queueing.record.pruning import registered_steps

pytestmark = pytest.mark.django_db


def store_file(data: bytes = b"some bytes", name: str = "a.txt", owner: str = "s:ada", **more) -> Upload:
    return storage.store(owner=owner, name=name, stream=BytesIO(data), **more)


@rules(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(size=st.integers(1, 20))
def test_read_returns_the_stored_bytes_of_any_size(monkeypatch, size):
    monkeypatch.setattr(storage, "_CHUNK_BYTES", 4)
    data = bytes(range(size))

    upload = store_file(data)

    assert storage.read(upload.id) == data
    assert Upload.objects.get(id=upload.id).size == size


def test_file_is_stored_in_chunks_and_discarded_with_them():
    upload = store_file(b"x" * (2 * 2**20 + 1))
    assert [len(c.data) for c in upload.chunks.all()] == [2**20, 2**20, 1]

    storage.discard(upload.id)
    storage.discard(upload.id)  # discarding twice is harmless

    assert not UploadChunk.objects.exists()
    with pytest.raises(Upload.DoesNotExist):
        storage.read(upload.id)


def test_file_over_the_limit_is_refused_and_not_stored():
    with pytest.raises(InvalidInput, match="larger than 1 MB") as caught:
        store_file(b"x" * (2**20 + 1), max_bytes=2**20)

    assert caught.value.field == "file"
    assert not Upload.objects.exists()
    assert not UploadChunk.objects.exists()


def test_empty_file_is_refused():
    with pytest.raises(InvalidInput, match="empty"):
        store_file(b"")
    assert not Upload.objects.exists()


def test_owner_over_the_limit_is_refused_and_others_are_not(monkeypatch):
    monkeypatch.setattr(storage, "MAX_BYTES_PER_OWNER", 25)
    store_file(b"x" * 20)

    with pytest.raises(LimitReached):
        store_file(b"x" * 20)

    assert Upload.objects.count() == 1
    store_file(b"x" * 20, owner="s:bob")


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\voice\\memo.wav", "memo.wav"),
        ("a\x00b\r\nc\u202e.wav", "abc.wav"),
        ("\ud83d.wav", ".wav"),
        ("", "file"),
        ("/", "file"),
        ("ü" * 200 + ".mp3", "ü" * 116 + ".mp3"),
    ],
)
def test_name_is_stored_without_folders_and_control_characters(sent, stored):
    assert Upload.objects.get(id=store_file(name=sent).id).name == stored


def test_sweep_deletes_old_files_that_no_job_needs():
    yesterday = timezone.now() - storage.KEEP - timedelta(minutes=1)
    fresh, left, needed, failed, done = (store_file() for _ in range(5))
    storage.bind(needed, job(State.WAITING))
    storage.bind(failed, job(State.FAILED))
    storage.bind(done, job(State.FAILED, ended=yesterday))
    Upload.objects.exclude(id=fresh.id).update(created_at=yesterday)

    assert storage.sweep() == 2
    assert storage.sweep() == 0

    assert set(Upload.objects.all()) == {fresh, needed, failed}, "a job that failed now can be retried (E16)"
    assert left not in Upload.objects.all()


def test_sweep_is_a_registered_pruning_step():
    assert storage.sweep in registered_steps()


def job(state: State, ended: datetime | None = None) -> Job:
    now = timezone.now()
    ended = None if state == State.WAITING else ended or now
    return Job.objects.create(
        kind="test.echo",
        queue="test",
        owner="s:ada",
        state=state,
        priority=1,
        created_at=now,
        finished_at=ended,
    )
