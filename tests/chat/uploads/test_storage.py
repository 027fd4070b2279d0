"""Files between the request that brings them and the job that reads them."""

from datetime import timedelta
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


def keep(data: bytes = b"some bytes", name: str = "a.txt", owner: str = "s:ada", **more) -> Upload:
    return storage.store(owner=owner, name=name, stream=BytesIO(data), **more)


@rules(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(size=st.integers(1, 20))
def test_what_is_read_is_what_was_stored_whatever_its_size(monkeypatch, size):
    monkeypatch.setattr(storage, "_CHUNK", 4)
    data = bytes(range(size))

    upload = keep(data)

    assert storage.read(upload.id) == data
    assert Upload.objects.get(id=upload.id).size == size


def test_a_file_is_kept_in_pieces_of_a_megabyte_and_goes_with_them():
    upload = keep(b"x" * (2 * 2**20 + 1))
    assert [len(c.data) for c in upload.chunks.all()] == [2**20, 2**20, 1]

    storage.discard(upload.id)
    storage.discard(upload.id)  # twice is as good as once

    assert not UploadChunk.objects.exists()
    with pytest.raises(Upload.DoesNotExist):
        storage.read(upload.id)


def test_of_a_file_past_the_limit_nothing_is_kept():
    with pytest.raises(InvalidInput, match="larger than 1 MB") as caught:
        keep(b"x" * (2**20 + 1), max_bytes=2**20)

    assert caught.value.field == "file"
    assert not Upload.objects.exists()
    assert not UploadChunk.objects.exists()


def test_an_empty_file_is_none():
    with pytest.raises(InvalidInput, match="empty"):
        keep(b"")
    assert not Upload.objects.exists()


def test_nobody_fills_the_database_and_others_are_not_held_up_by_who_tries(monkeypatch):
    monkeypatch.setattr(storage, "MAX_OF_OWNER", 25)
    keep(b"x" * 20)

    with pytest.raises(LimitReached):
        keep(b"x" * 20)

    assert Upload.objects.count() == 1
    keep(b"x" * 20, owner="s:bob")


@pytest.mark.parametrize(
    ("sent", "shown"),
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
def test_a_name_is_a_label_and_no_path(sent, shown):
    assert Upload.objects.get(id=keep(name=sent).id).name == shown


def test_the_sweep_takes_what_is_old_but_not_what_a_job_still_needs():
    yesterday = timezone.now() - storage.KEEP - timedelta(minutes=1)
    fresh, left, needed, done = keep(), keep(), keep(), keep()
    storage.bind(needed, job(State.WAITING))
    storage.bind(done, job(State.FAILED))
    Upload.objects.exclude(id=fresh.id).update(created_at=yesterday)

    assert storage.sweep() == 2
    assert storage.sweep() == 0

    assert set(Upload.objects.all()) == {fresh, needed}
    assert left not in Upload.objects.all()


def test_the_sweep_is_part_of_the_hourly_clean_up():
    assert storage.sweep in registered_steps()


def job(state: State) -> Job:
    now = timezone.now()
    ended = None if state == State.WAITING else now
    return Job.objects.create(
        kind="test.echo",
        queue="test",
        owner="s:ada",
        state=state,
        priority=1,
        created_at=now,
        finished_at=ended,
    )
