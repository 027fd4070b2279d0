"""A Redis that makes no sense, and one that lost its memory: nothing is lost, and limits hold."""

import time
from contextlib import suppress

import pytest

from queueing.conf import get_queue
from queueing.control import verbs
from queueing.models import Job
from queueing.record import attempts
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import Claimed
from queueing.submit import submit

from .test_garbage import CALLS, STRANGE, answers  # noqa: F401
from .test_reconcile import put_back, settled  # noqa: F401


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("words", STRANGE)
@pytest.mark.parametrize("polite", [True, False])
def test_a_strange_answer_raises_nothing_but_unavailable(answers, call, words, polite):  # noqa: F811
    answers(STRANGE[words], polite=polite)
    with suppress(redis_client.Unavailable):  # some strange answers are right ones to some calls
        redis_client.run(CALLS[call]())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("words", STRANGE)
@pytest.mark.parametrize("polite", [True, False])
def test_what_is_submitted_to_a_strange_server_is_kept_and_answered(answers, words, polite):  # noqa: F811
    answers(STRANGE[words], polite=polite)
    submit("test.noop", {})
    assert Job.objects.count() == 1


narrow = "test-narrow"


@pytest.mark.django_db(transaction=True)
def test_after_a_loss_what_runs_is_put_back_before_what_waits(valkey, settled, monkeypatch):  # noqa: F811
    """A worker that claims as soon as the bell rings must not get beyond the queue's concurrency (2)."""
    running = [submit("test.narrow", {}).job for _ in range(2)]
    submit("test.narrow", {})
    attempts.begin([Claimed(job.id.hex, narrow, 0.0) for job in running], "c1/w/1")
    valkey.client.flushall()
    claimed = []
    do = redis_client.arun

    async def and_claim(call):
        reply = await do(call)
        claimed.extend((await do(scripts.claim([get_queue(narrow)], "c1/w/2", 5))).jobs)
        return reply

    monkeypatch.setattr(redis_client, "arun", and_claim)
    put_back()
    assert claimed == []


@pytest.mark.django_db(transaction=True)
def test_between_a_loss_and_its_repair_no_limit_is_exceeded(valkey, settled):  # noqa: F811
    """New work arrives before reconciliation has looked; two run already, two is the most."""
    running = [submit("test.narrow", {}).job for _ in range(2)]
    attempts.begin([Claimed(job.id.hex, narrow, 0.0) for job in running], "c1/w/1")
    valkey.client.flushall()
    submit("test.narrow", {})
    assert redis_client.run(scripts.claim([get_queue(narrow)], "c1/w/2", 5)).jobs == []


@pytest.mark.django_db(transaction=True)
def test_a_lost_redis_does_not_open_the_limiters_window(valkey, settled):  # noqa: F811
    """Two a window have started just now, as the record knows."""
    queue = get_queue("test-limited")
    jobs = [submit("test.limited", {}).job for _ in range(4)]
    claims = redis_client.run(scripts.claim([queue], "c1/w/1", 9)).jobs
    attempts.begin(claims, "c1/w/1")
    assert len(claims) == 2
    valkey.client.flushall()
    assert put_back() == len(jobs)
    assert redis_client.run(scripts.claim([queue], "c1/w/2", 9)).jobs == []


@pytest.mark.django_db(transaction=True)
def test_a_lost_redis_does_not_resume_a_paused_queue(valkey, settled):  # noqa: F811
    verbs.pause("test")
    submit("test.noop", {})
    valkey.client.flushall()
    put_back()
    assert redis_client.run(scripts.counts("test")).paused


def test_starts_that_have_left_the_window_do_not_count(valkey):
    """Nobody trims the record of starts while nothing waits."""
    old = (time.time() - 600) * 1000
    valkey.client.zadd(scripts.queue_key("test-limited", "limiter_starts"), {"long ago": old})
    assert (
        redis_client.run(
            scripts.counts("test-limited", limiter=get_queue("test-limited").limiter)
        ).limiter_starts
        == 0
    )
