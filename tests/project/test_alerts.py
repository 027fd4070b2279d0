"""Operators hear of a warning once, and once more when it is over, however many processes run (O14)."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from redis.exceptions import RedisError

from buddy.alerts import channels, checks, record, watch
from buddy.alerts.models import Alert
from buddy.alerts.outage import Memory
from queueing.api import redis
from tests.support.postgres import Postgres
from tests.support.valkey import Valkey, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

NO_WORKERS = {"code": "no_workers", "queue": "", "level": "critical", "text": "No worker is running."}


class Receiver:
    """A real server that takes webhooks, or refuses them with `status`."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if receiver.status == 200:
                    receiver.got.append(fields)
                self.send_response(receiver.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hook(settings: Any) -> Iterator[Receiver]:
    """A receiver that is the webhook, beside an address of e-mail."""
    receiver = Receiver()
    settings.ALERT_WEBHOOK_URL = receiver.url
    settings.ALERT_EMAILS = ["ops@example.org"]
    settings.SITE_URL = "https://buddy.example.org"
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


class Looks:
    """Looks of any process, at times that the test says."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def look(self, *found: dict[str, str], after: float = 15) -> None:
        """Look `after` seconds."""
        self.now += timedelta(seconds=after)
        record.note(found, self.now)
        record.tell(channels.configured(), self.now)


def statuses(hook: Receiver) -> list[str]:
    return [message["status"] for message in hook.got]


def test_lasting_warning_is_told_once_by_each_channel_and_so_is_its_end(hook: Receiver):
    looks = Looks()
    looks.look(NO_WORKERS), looks.look(NO_WORKERS)
    assert hook.got == mail.outbox == []
    for _ in range(5):
        looks.look(NO_WORKERS)
    assert statuses(hook) == ["firing"]
    assert hook.got[0].items() >= (NO_WORKERS | {"site": "https://buddy.example.org", "until": None}).items()
    assert [m.subject for m in mail.outbox] == ["Buddy: critical: no_workers"]
    for _ in range(8):
        looks.look()
    assert statuses(hook) == ["firing", "resolved"]
    assert [m.subject for m in mail.outbox][1:] == ["Buddy: over: no_workers"]
    assert "https://buddy.example.org/admin/queue" in mail.outbox[1].body
    for _ in range(4):
        looks.look(NO_WORKERS)
    assert statuses(hook) == ["firing", "resolved", "firing"]


def test_short_warning_is_not_told(hook: Receiver):
    looks = Looks()
    looks.look(NO_WORKERS), looks.look(NO_WORKERS)
    for _ in range(8):
        looks.look()
    assert hook.got == mail.outbox == []


def test_gap_in_a_warning_is_no_end(hook: Receiver):
    looks = Looks()
    for _ in range(4):
        looks.look(NO_WORKERS)
    looks.look(), looks.look(NO_WORKERS), looks.look(), looks.look(NO_WORKERS)
    assert statuses(hook) == ["firing"]


@pytest.mark.parametrize("status", [500, 302])
def test_channel_that_fails_is_tried_again_alone(hook: Receiver, status: int):
    looks, hook.status = Looks(), status
    for _ in range(6):
        looks.look(NO_WORKERS)
    assert (len(hook.got), len(mail.outbox)) == (0, 1)
    hook.status = 200
    for _ in range(6):
        looks.look(NO_WORKERS)
    assert (statuses(hook), len(mail.outbox)) == (["firing"], 1)


def test_end_is_not_told_by_a_channel_that_did_not_tell_the_beginning(hook: Receiver):
    looks, hook.status = Looks(), 500
    for _ in range(4):
        looks.look(NO_WORKERS)
    for _ in range(8):
        looks.look()
    hook.status = 200
    looks.look(after=120)
    assert (hook.got, len(mail.outbox)) == ([], 2)


def test_processes_that_look_at_once_tell_once(hook: Receiver):
    looks = Looks()
    looks.look(NO_WORKERS)
    record.note([NO_WORKERS], looks.now + timedelta(seconds=60))
    alert, now = Alert.objects.get(), looks.now + timedelta(seconds=60)
    assert Alert.objects.filter(pk=alert.pk).update(claimed_until=now + record.CLAIM)  # another one sends
    record.tell(channels.configured(), now)
    assert hook.got == []
    record.tell(channels.configured(), now + record.CLAIM)  # it has died
    record.tell(channels.configured(), now + record.CLAIM)
    assert statuses(hook) == ["firing"]


def test_old_alerts_are_deleted(hook: Receiver):
    looks = Looks()
    looks.now -= record.KEEP + timedelta(days=1)
    looks.look(NO_WORKERS)
    looks.look(after=70)
    assert record.prune() == 1
    assert Alert.objects.count() == 0


async def test_look_takes_the_warnings_of_the_queues_by_level(hook: Receiver, settings: Any):
    """Nothing works here: that is critical. Another process does not look again at once."""
    settings.ALERT_LEVEL = "critical"
    await watch.Watch().look()
    codes = [alert.code async for alert in Alert.objects.all()]
    assert codes == ["no_workers"]
    seen = (await Alert.objects.aget()).seen_at
    await watch.Watch().look()
    assert (await Alert.objects.aget()).seen_at == seen


def test_trial_reaches_all_channels_or_says_what_is_wrong(hook: Receiver, settings: Any, capsys: Any):
    settings.ALERT_SLACK_URL = hook.url
    call_command("try_alerts")
    assert capsys.readouterr().out == "email: sent\nwebhook: sent\nslack: sent\n"
    assert hook.got[1]["text"].startswith("*Buddy: warning: trial*\nThis is a trial")  # Slack's form
    hook.status = 404
    with pytest.raises(CommandError, match="webhook, slack"):
        call_command("try_alerts")
    settings.ALERT_EMAILS, settings.ALERT_WEBHOOK_URL, settings.ALERT_SLACK_URL = [], "", ""
    with pytest.raises(CommandError, match="No channel"):
        call_command("try_alerts")


def test_wrong_settings_are_found_by_checks(settings: Any):
    assert checks.check_channels(None) == []
    settings.ALERT_SLACK_URL, settings.ALERT_EMAILS, settings.EMAIL_HOST = "hooks.slack.com", ["a@b.c"], ""
    assert [found.id for found in checks.check_channels(None)] == ["buddy.E001", "buddy.W006"]


class WatchOfAProcess(watch.Watch):
    """The watch of one process, at times that the test says, as `Looks`."""

    def __init__(self, times: Looks) -> None:
        super().__init__(lambda: times.now)


@pytest.fixture
def watches(postgres: Postgres, valkey: Valkey, hook: Receiver) -> Iterator[Callable[..., None]]:
    """Call it to let two web processes look, one after the other, some times."""
    times = Looks()
    processes = [WatchOfAProcess(times), WatchOfAProcess(times)]

    def look(number: int = 1) -> None:
        for process in processes * number:
            times.now += timedelta(seconds=15)
            with suppress(RedisError):
                valkey.client.delete(redis.app_key("alerts:turn"))
            asyncio.run(process.look())

    with redis_of(valkey):
        yield look


@contextmanager
def redis_of(valkey: Valkey) -> Iterator[None]:
    """Start the session's Redis again, if the test has stopped it."""
    yield
    if valkey.process is None:
        valkey.start()


def of_the_database(hook: Receiver) -> list[str]:
    return [message["status"] for message in hook.got if message["code"] == "database"]


@pytest.mark.parametrize("how", ["stopped", "read-only", "no connections"])
def test_database_away_is_told_once_and_once_more_when_over(hook, watches, postgres, how):
    ways = {"stopped": stopped, "read-only": Postgres.read_only, "no connections": Postgres.no_connections}
    watches()
    with ways[how](postgres):
        watches()
        assert of_the_database(hook) == []  # it may be short
        watches(4)
        assert of_the_database(hook) == ["firing"]
        assert [m.subject for m in mail.outbox] == ["Buddy: critical: database"]
    watches(1)
    assert of_the_database(hook) == ["firing"]  # it may come back
    watches(4)
    assert of_the_database(hook) == ["firing", "resolved"]
    assert [m.subject for m in mail.outbox if "database" in m.subject][1:] == ["Buddy: over: database"]
    began, over = (message for message in hook.got if message["code"] == "database")
    assert began["since"] == over["since"] < over["until"]


@contextmanager
def stopped(postgres: Postgres) -> Iterator[None]:
    """No server."""
    postgres.stop()
    yield
    postgres.start()
    connection.close()  # that of the test


def test_database_that_returns_for_a_moment_is_told_once(hook, watches, postgres):
    for _ in range(3):
        with stopped(postgres):
            watches(2)
        watches(1)
    watches(4)
    assert of_the_database(hook) == ["firing", "resolved"]


def test_short_absence_of_the_database_is_not_told(hook, watches, postgres):
    watches()
    with stopped(postgres):
        watches()
    watches(4)
    assert of_the_database(hook) == []


def test_channel_that_fails_is_told_of_the_database_later(hook, watches, postgres, valkey):
    hook.status = 500
    with stopped(postgres):
        watches(3)
        hook.status = 200
        assert of_the_database(hook) == []
        valkey.client.delete(redis.app_key("alerts:outage:claim"))  # a minute later
        watches(2)
        assert of_the_database(hook) == ["firing"]
    hook.status = 500
    watches(4)
    Alert.objects.update(claimed_until=None)
    hook.status = 200
    watches(2)
    assert of_the_database(hook) == ["firing", "resolved"]
    assert sum("database" in m.subject for m in mail.outbox) == 2


def test_database_and_redis_away_are_told_by_each_process_and_their_end_once(hook, watches, postgres, valkey):
    """They share nothing then. A second message is better than none."""
    watches()
    valkey.stop()
    with stopped(postgres):
        watches(4)
        assert of_the_database(hook) == ["firing"] * 2
    watches(3)
    valkey.start()
    watches(4)
    assert of_the_database(hook) == ["firing"] * 2 + ["resolved"]


async def test_process_whose_look_was_slow_keeps_what_another_has_sent_meanwhile(valkey: Valkey):
    first, second, now = Memory(), Memory(), timezone.now()
    began = await first.seen(now)
    await second.seen(now)
    await first.told(began, "webhook")
    outage = await second.seen(now + timedelta(seconds=20))
    assert (outage.since, outage.told) == (began.since, ["webhook"])
    assert await first.load(now) == outage
    await first.forget()
    assert await first.load(now) is None
    await second.told(outage, "email")  # too late
    assert (await first.seen(now + timedelta(seconds=60))).told == []


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_running_processes_tell_of_a_silent_database_once(web: Any, postgres: Postgres, hook: Receiver):
    """It accepts connections and answers none, so each look waits until it gives up."""
    environment = {"ALERT_WEBHOOK_URL": hook.url, "ALERT_LEVEL": "critical"}
    web(**environment), web(**environment)
    wait_until(lambda: statuses(hook) == ["firing"], "the alert about workers", 90)
    with postgres.frozen():
        wait_until(lambda: of_the_database(hook) == ["firing"], "the alert about the database", 120)
    wait_until(lambda: of_the_database(hook) == ["firing", "resolved"], "its end", 150)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_running_processes_tell_once_also_when_they_are_restarted(web: Any, qcluster: Any, hook: Receiver):
    """Two web processes without a worker; both are killed and started again; then a cluster starts."""
    environment = {"ALERT_WEBHOOK_URL": hook.url, "ALERT_LEVEL": "critical"}
    first = [web(**environment), web(**environment)]
    wait_until(lambda: statuses(hook) == ["firing"], "the alert", 90)
    for server in first:
        server.stop()
    second = [web(**environment), web(**environment)]
    before = Alert.objects.get().seen_at
    wait_until(lambda: Alert.objects.get().seen_at > before + timedelta(seconds=30), "two more looks", 90)
    assert statuses(hook) == ["firing"]
    qcluster()
    wait_until(lambda: statuses(hook) == ["firing", "resolved"], "its end", 120)
    assert all(server.process.exit_code is None for server in second)
