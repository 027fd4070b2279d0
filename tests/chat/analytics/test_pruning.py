"""Events of finished jobs, and how long events are kept."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from chat.analytics.models import Event, Rollup, Salt, Visit
from chat.analytics.pruning import prune
from chat.analytics.rollups import store_events
from chat.analytics.tracking.job_events import track_job_end
from queueing.api import Ending, State, get_kind
from tests.chat.browser import browser
from tests.chat.questions import submit_question
from tests.support.valkey import wait_until

from .event_rows import ANALYTICS_ON, event_row

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_reply_is_tracked_with_times_and_failure_with_its_code(manual_tracker, qcluster, provider):
    qcluster(**provider.publishes, **ANALYTICS_ON)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("One", request_id="r-1")
        await tab.receive_until("chat:completed")
        provider.script(status=400)
        await tab.ask("Two", request_id="r-2")
        await tab.receive_until("chat:failed")
        await tab.disconnect()

    def stored_events() -> dict[str, Event]:
        return {event.name: event for event in Event.objects.filter(name__startswith="reply.")}

    from asgiref.sync import sync_to_async

    found = await sync_to_async(
        lambda: wait_until(lambda: len(stored_events()) == 2 and stored_events(), "both events to be stored")
    )()
    completed, failed = found["reply.completed"], found["reply.failed"]
    assert completed.companion == failed.companion == "travel"
    assert completed.visitor == ""
    assert set(completed.properties) == {"wait", "run"}
    assert 0 <= completed.properties["run"] < 10
    assert failed.properties["code"]


def _prune_all() -> None:
    while prune():
        pass


def test_prune_deletes_old_rows_and_keeps_the_rest(settings):
    settings.ANALYTICS_DAYS = 30
    now = timezone.now()
    ages = [0, 1, 29, 31, 400]
    store_events([event_row("message.sent", now - timedelta(days=age), visitor=f"{age:024}") for age in ages])
    for age in ages:
        Salt.objects.create(day=(now - timedelta(days=age)).date(), secret=b"s")
    _prune_all()
    assert Event.objects.count() == 3
    assert sorted((now.date() - visit.day).days for visit in Visit.objects.filter(companion="")) == [0, 1, 29]
    assert Rollup.objects.filter(seconds=86400).count() == 3
    assert Rollup.objects.filter(seconds=3600).count() == 2, "only the last days are kept by hour"
    assert Salt.objects.count() == 2, "older visitors are anonymous"


def test_prune_with_analytics_off_deletes_everything(settings):
    store_events([event_row("message.sent", visitor="a" * 24)])
    settings.ANALYTICS_DAYS = 0
    _prune_all()
    for model in (Event, Rollup, Visit):
        assert not model.objects.exists()


def test_prune_is_a_registered_step():
    from queueing.record.pruning import registered_steps

    assert prune in registered_steps()


@pytest.mark.parametrize(
    ("kind", "activity"),
    [("chat.reply", "reply"), ("audio.transcribe", "voice"), ("analysis.document", "document")],
)
def test_end_of_each_kind_is_tracked(manual_tracker, kind, activity):
    get_kind(kind)  # raises for an unknown kind
    more = {"state": State.COMPLETED, "result": {"cached": True}, "error": "", "text": "", "owner": "s:ada"}
    for state in (State.COMPLETED, State.FAILED, State.CANCELLED):
        track_job_end(
            Ending(
                **more | {"job_id": "a" * 32, "args": {}, "kind": kind, "state": state}, waited=1.0, ran=2.0
            )
        )
    names = [event.name for event in manual_tracker._buffer]
    assert names == [f"{activity}.{end}" for end in ("completed", "failed", "cancelled")]
    assert manual_tracker._buffer[0].properties == {"wait": 1.0, "run": 2.0, "cached": 1}
    assert not any(event.owner for event in manual_tracker._buffer)


def test_message_rolled_back_is_not_tracked(manual_tracker):
    with transaction.atomic():
        submit_question(owner="s:ada", companion="travel", text="Where to?", request_id="r-1")
        transaction.set_rollback(True)
    assert not manual_tracker._buffer
    for _ in range(2):  # the same request twice is one message
        submit_question(owner="s:ada", companion="travel", text="Where to?", request_id="r-1")
    assert [event.name for event in manual_tracker._buffer] == ["message.sent"]
