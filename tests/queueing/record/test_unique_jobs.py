"""E22: one job has a unique key, and no way to end it leaves the key behind (BullMQ#4311, Oban#1259)."""

import time
from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone

from queueing.conf import get_conf
from queueing.control import owners, verbs
from queueing.errors import Duplicate, Rejected
from queueing.models import Job
from queueing.record import lost_parents, not_started, pruning
from queueing.recovery import reconcile
from queueing.schedule import scripts
from queueing.states import UNFINISHED, State
from queueing.submit import Submission, submit
from queueing.unique import Unique

from .lifecycle import begin, cancelled, end, given_back, retried_later, run_concurrently, stalled_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey", "either_database")]

REPLACE, LATEST = Unique("k", on_conflict="replace"), Unique("k", on_conflict="latest")


def put(text: str = "first", unique: Unique | None = None, **options) -> Submission:
    return submit("test.echo", {"text": text}, unique=unique or Unique("k"), **options)


def fresh(job: Job) -> Job:
    return Job.objects.get(id=job.id)


def release(job: Job) -> None:
    given_back(job)


@pytest.mark.parametrize("step", [begin, lambda job: (begin(job), retried_later(job)), lambda job: None])
def test_second_submission_returns_the_job_that_has_not_ended(step):
    first = put()
    step(first.job)
    again = put("second")
    assert (again.job, again.created, again.conflict) == (first.job, False, "return")
    assert fresh(first.job).args == {"text": "first"}
    assert put(unique=Unique("other")).created
    assert put(owner="bob").created
    assert Job.objects.count() == 3


def completed(job: Job) -> None:
    end(begin(job))


def completed_without_a_value(job: Job) -> None:
    end(begin(job), value=None)


def failed(job: Job) -> None:
    end(begin(job), State.FAILED)


def expired(job: Job) -> None:
    Job.objects.filter(id=job.id).update(expires_at=timezone.now())
    not_started.sweep_expired()


def removed(job: Job) -> None:
    verbs.remove(job.id)


def erased(job: Job) -> None:
    with transaction.atomic():
        owners.erase_owner("alice")


def stopped(job: Job) -> None:
    owners.stop_owner("alice")


def deleted_by_hand(job: Job) -> None:
    Job.objects.filter(id=job.id).delete()


def ended_by_an_older_worker(job: Job) -> None:
    Job.objects.filter(id=job.id).update(state=State.COMPLETED, finished_at=timezone.now())


ENDS = [
    completed,
    completed_without_a_value,
    failed,
    cancelled,
    expired,
    removed,
    erased,
    stopped,
    deleted_by_hand,
    ended_by_an_older_worker,
]


@pytest.mark.parametrize("end_it", ENDS)
def test_every_end_gives_the_key_free(end_it):
    job = put(owner="alice").job
    end_it(job)
    again = put("second", owner="alice")
    assert (again.created, again.conflict) == (True, "")
    completed(again.job)
    assert not Job.objects.filter(state__in=UNFINISHED).exists()


def test_key_until_start_is_free_when_the_first_run_begins_and_no_next_run_needs_it():
    until_start = Unique("k", until="start")
    first = put(unique=until_start).job
    assert not put(unique=until_start).created
    begin(first)
    second = put(unique=until_start)
    assert second.created
    for back in (release, retried_later, stalled_once):
        back(first)
        Job.objects.filter(id=first.id).update(suspect=False, state=State.WAITING, run_at=None)
        begin(first)
    end(begin(second.job), State.FAILED)
    third = put(unique=until_start).job
    with pytest.raises(Duplicate):
        verbs.retry(second.job.id)
    begin(third)
    assert verbs.retry(second.job.id).state == State.WAITING
    assert put(unique=until_start).job == second.job, "a retry by a person has the key again"


def test_key_for_a_period_outlasts_the_job_and_ends_with_the_period():
    throttle = Unique("k", until="period", period=3600)
    first = put(unique=throttle).job
    completed(first)
    assert put(unique=throttle).job == first
    Job.objects.filter(id=first.id).update(options={"unique_until": time.time() - 1})
    second = put(unique=throttle)
    assert second.created
    assert put(unique=Unique("k")).job == second.job
    assert fresh(first).unique_key is None


def test_period_of_a_job_that_runs_on_ends_all_the_same():
    throttle = Unique("k", until="period", period=0.001)
    jobs = [put(unique=throttle).job]
    begin(jobs[0])
    deadline = time.time() + 0.002
    while time.time() < deadline:
        continue
    assert put(unique=throttle).created


def test_replace_gives_the_waiting_job_the_newest_arguments_and_keeps_its_place():
    first = put(unique=REPLACE, request_id="r1", owner="alice", tags=["abc"]).job
    again = put("second", REPLACE, request_id="r2", owner="alice", timeout=7, expires=60)
    assert (again.job, again.created, again.conflict) == (first, False, "replace")
    row = fresh(first)
    assert (row.args, row.request_id, row.state) == ({"text": "second"}, "r1", State.WAITING)
    assert row.options == {"timeout": 7}
    assert row.expires_at is not None
    assert begin(first).args == {"text": "second"}


def test_replace_and_latest_keep_one_job_more_with_the_newest_arguments_while_one_runs():
    for unique in (REPLACE, LATEST):
        first = put(unique=unique).job
        run = begin(first)
        second = put("second", unique)
        assert (second.created, second.conflict, second.job.state) == (True, unique.on_conflict, "delayed")
        third = put("third", unique)
        assert (third.job, third.created) == (second.job, False)
        (freed,) = end(run).freed
        assert (freed, freed.state, fresh(freed).args) == (second.job, State.WAITING, {"text": "third"})
        assert put("fourth", Unique("k")).job == second.job, "it has the key now"
        completed(second.job)
        assert put("fifth", Unique("k")).created
        Job.objects.all().delete()


def test_latest_keeps_the_arguments_of_a_job_that_waits():
    first = put(unique=LATEST).job
    put("second", LATEST)
    put("third", LATEST)
    completed(first)
    texts = Job.objects.order_by("id").values_list("args__text", flat=True)
    assert list(texts) == ["first", "third"]


@pytest.mark.parametrize("end_it", [failed, cancelled, expired, removed])
def test_job_that_waits_for_the_end_takes_the_key_however_it_comes(end_it):
    first = put(unique=LATEST).job
    second = put("second", LATEST).job
    end_it(first)
    assert (fresh(second).state, put().job) == (State.WAITING, second)


def test_job_that_waits_for_a_deleted_one_runs_and_breaks_nothing():
    first = put(unique=LATEST).job
    second = put("second", LATEST).job
    deleted_by_hand(first)
    third = put("third").job
    assert third != second
    assert lost_parents.settle_lost_parents().freed == [second]
    completed(second)
    completed(third)
    assert put().created


def test_debounce_postpones_the_job_up_to_max_wait(valkey):
    debounce = Unique("k", on_conflict="replace", max_wait=100)
    first = put(unique=debounce, delay=30).job
    put("second", debounce, delay=60)
    row = fresh(first)
    assert timedelta(seconds=59) < row.run_at - row.created_at < timedelta(seconds=99)
    ready = valkey.client.zscore(scripts.queue_key("test", "delayed"), first.id.hex) / 1000
    assert abs(ready - row.run_at.timestamp()) < 5
    put("third", debounce, delay=3000)
    assert fresh(first).run_at == first.created_at + timedelta(seconds=100)
    verbs.promote(first.id)
    assert put("fourth", debounce, delay=60).job == first
    assert (fresh(first).state, fresh(first).run_at) == (State.WAITING, None), "it keeps its place in line"


def test_backoff_is_no_delay_that_a_submission_changes():
    job = put(unique=REPLACE).job
    end(begin(job), State.DELAYED, delay=500)
    run_at = fresh(job).run_at
    put("second", REPLACE, delay=5)
    assert (fresh(job).run_at, fresh(job).args) == (run_at, {"text": "second"})


def test_retry_by_a_person_has_the_key_again_or_is_refused():
    first = put().job
    failed(first)
    second = put().job
    with pytest.raises(Duplicate, match="unique"):
        verbs.retry(first.id)
    assert fresh(first).state == State.FAILED
    verbs.cancel(second.id)
    verbs.retry(first.id)
    assert put().job == first
    with pytest.raises(Duplicate):
        verbs.retry(second.id)


def test_retry_of_a_job_that_waited_for_the_end_needs_the_key_itself():
    first, second = put(unique=LATEST).job, put("second", LATEST).job
    verbs.cancel(second.id)
    with pytest.raises(Duplicate):
        verbs.retry(second.id)
    verbs.cancel(first.id)
    verbs.retry(second.id)
    assert put().job == second


def test_retry_of_a_parent_leaves_a_child_whose_key_another_has():
    parent = submit("test.echo", {}).job
    child = put(depends_on=[parent]).job
    failed(parent)
    other = put().job
    verbs.retry(parent.id)
    assert (fresh(child).state, fresh(child).error_code) == (State.FAILED, "parent_failed")
    verbs.cancel(other.id)


def test_renamed_owner_keeps_the_keys_and_loses_those_that_the_new_owner_has():
    mine, same = put(owner="alice").job, put(owner="alice", unique=Unique("both")).job
    everyones = put(owner="alice", unique=Unique("all", across_owners=True)).job
    running = put(owner="alice", unique=Unique("l", on_conflict="latest")).job
    begin(running)
    following = put("second", owner="alice", unique=Unique("l", on_conflict="latest")).job
    kept = put(owner="bob", unique=Unique("both")).job
    with transaction.atomic():
        owners.rename_owner("alice", "bob")
    assert put(owner="bob").job == mine
    assert put(owner="bob", unique=Unique("both")).job == kept
    assert put(owner="carol", unique=Unique("all", across_owners=True)).job == everyones
    assert put("third", owner="bob", unique=Unique("l", on_conflict="latest")).job == following
    assert fresh(same).unique_key is None
    assert put(owner="alice").created


def test_pruned_job_gives_its_key_free():
    job = put(unique=Unique("k", until="period", period=20 * 86_400)).job
    completed(job)
    assert not put().created
    old = timezone.now() - timedelta(days=get_conf().keep_days + 1)
    Job.objects.filter(id=job.id).update(finished_at=old)
    Job.objects.filter(id=job.id).update(id=f"00000000-0000-7000-8000-{1:012}")
    assert pruning.prune() == 1
    assert put().created


def test_duplicate_does_not_count_against_the_limit_of_the_owner(settings):
    queue = settings.QUEUEING["QUEUES"]["test"] | {"owner_limit": 1}
    settings.QUEUEING = settings.QUEUEING | {"QUEUES": settings.QUEUEING["QUEUES"] | {"test": queue}}
    first = put(owner="alice", unique=REPLACE).job
    assert put("second", owner="alice", unique=Unique("k")).job == first
    assert put("third", owner="alice", unique=REPLACE).job == first
    for unique in (Unique("other"), LATEST):  # these would be jobs of their own
        with pytest.raises(Rejected):
            put(owner="alice", unique=unique)


@pytest.mark.parametrize("unique", [Unique("k"), REPLACE, LATEST, Unique("k", until="start")], ids=str)
def test_concurrent_submissions_make_one_job(unique):
    made = run_concurrently(*[lambda text=text: put(text, unique) for text in "abcdefgh"])
    assert all(isinstance(one, Submission) for one in made), made
    held = Job.objects.filter(state=State.WAITING)
    assert held.count() == 1
    assert Job.objects.count() == (2 if unique is LATEST else 1)
    assert sum(one.created for one in made) == Job.objects.count()


def test_submissions_while_jobs_end_lose_no_newest_arguments():
    first = put("0", LATEST).job
    for number in range(1, 6):
        run_concurrently(partial(completed, first), partial(put, str(number), LATEST))
        unfinished = Job.objects.filter(state__in=UNFINISHED)
        first = unfinished.get()
        assert first.args == {"text": str(number)}
        assert first.state == State.WAITING


def test_submission_in_a_transaction_that_is_rolled_back_leaves_no_key():
    with transaction.atomic():
        assert put().created
        assert not put("second").created
        transaction.set_rollback(True)
    assert not Job.objects.exists()
    assert put().created


def test_job_comes_back_after_redis_lost_its_data_with_its_key(valkey):
    first = put(unique=LATEST).job
    put("second", LATEST)
    valkey.client.flushall()
    assert reconcile.still_unfinished([first.id.hex]) == [first]
    assert not put().created
