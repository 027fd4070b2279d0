"""What a reply leaves behind, and how long it is kept."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from chat.analytics.job_events import ended
from chat.analytics.models import Event, Rollup, Salt, Visit
from chat.analytics.pruning import prune
from chat.analytics.rollups import store
from chat.conversations import services
from queueing.api import Ending, State, get_kind
from tests.chat.tabs import browser
from tests.support.valkey import wait_until

from .tracking import ON, row

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


async def test_a_reply_is_counted_with_its_times_and_a_failure_with_its_code(counting, qcluster, provider):
    qcluster(**provider.publishes, **ON)
    async with browser() as alice:
        tab = await alice.open()
        await tab.ask("One", request_id="r-1")
        await tab.hear_until("chat:completed")
        provider.script(status=400)
        await tab.ask("Two", request_id="r-2")
        await tab.hear_until("chat:failed")
        await tab.disconnect()

    def kept() -> dict[str, Event]:
        return {event.name: event for event in Event.objects.filter(name__startswith="reply.")}

    from asgiref.sync import sync_to_async

    found = await sync_to_async(
        lambda: wait_until(lambda: len(kept()) == 2 and kept(), "both to be counted")
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


def test_what_is_too_old_goes_and_the_rest_stays(settings):
    settings.ANALYTICS_DAYS = 30
    now = timezone.now()
    ages = [0, 1, 29, 31, 400]
    store([row("message.sent", now - timedelta(days=age), visitor=f"{age:024}") for age in ages])
    for age in ages:
        Salt.objects.create(day=(now - timedelta(days=age)).date(), secret=b"s")
    _prune_all()
    assert Event.objects.count() == 3
    assert sorted((now.date() - visit.day).days for visit in Visit.objects.filter(companion="")) == [0, 1, 29]
    assert Rollup.objects.filter(seconds=86400).count() == 3
    assert Rollup.objects.filter(seconds=3600).count() == 2, "hours are shown of the last day alone"
    assert Salt.objects.count() == 2, "then nobody can say any more who a visitor was"


def test_turned_off_everything_goes(settings):
    store([row("message.sent", visitor="a" * 24)])
    settings.ANALYTICS_DAYS = 0
    _prune_all()
    for model in (Event, Rollup, Visit):
        assert not model.objects.exists()


def test_upkeep_prunes():
    from queueing.record.pruning import registered_steps

    assert prune in registered_steps()


@pytest.mark.parametrize(
    ("kind", "word"),
    [("chat.reply", "reply"), ("audio.transcribe", "voice"), ("analysis.document", "document")],
)
def test_all_kinds_of_work_are_counted_when_they_end(counting, kind, word):
    get_kind(kind)  # there is one of this name
    more = {"state": State.COMPLETED, "result": {"cached": True}, "error": "", "text": "", "owner": "s:ada"}
    for state in (State.COMPLETED, State.FAILED, State.CANCELLED):
        ended(
            Ending(
                **more | {"job_id": "a" * 32, "args": {}, "kind": kind, "state": state}, waited=1.0, ran=2.0
            )
        )
    names = [happening.name for happening in counting._held]
    assert names == [f"{word}.{end}" for end in ("completed", "failed", "cancelled")]
    assert counting._held[0].properties == {"wait": 1.0, "run": 2.0, "cached": 1}
    assert not any(happening.owner for happening in counting._held)


def test_what_is_rolled_back_is_not_counted(counting):
    with transaction.atomic():
        services.ask(owner="s:ada", companion="travel", text="Where to?", request_id="r-1")
        transaction.set_rollback(True)
    assert not counting._held
    for _ in range(2):  # the same request twice is one message
        services.ask(owner="s:ada", companion="travel", text="Where to?", request_id="r-1")
    assert [happening.name for happening in counting._held] == ["message.sent"]
