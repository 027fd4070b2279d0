"""The commands: output, effects, audit entries and exit codes."""

import itertools
import json
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from django.utils import timezone

from queueing.conf import get_queue
from queueing.control import verbs
from queueing.models import AuditEntry, Job, LimitOverride, Pause
from queueing.monitoring.health import queue_health
from queueing.states import State
from queueing.submit import submit, submit_many
from queueing.values.ids import first_id_at
from tests.support.cluster import ROOT, environment
from tests.support.valkey import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def output_of(*command: object) -> str:
    """Return what the command prints."""
    out = StringIO()
    call_command(*map(str, command), stdout=out)
    return out.getvalue()


numbers = itertools.count(1)


def failed(code: str = "no_quota", queue: str = "test", days: float = 1) -> Job:
    """Create a job that failed this many days ago."""
    at = timezone.now() - timedelta(days=days)
    return Job.objects.create(
        id=UUID(int=first_id_at(at).int + next(numbers)),  # two of one millisecond are two
        kind="test.noop",
        queue=queue,
        priority=5,
        state=State.FAILED,
        error_code=code,
        created_at=at,
        finished_at=at,
    )


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` in a pipe."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment(**env), text=True, capture_output=True)


def test_monitor_in_pipe_prints_once_with_health_as_exit_code(qcluster):
    qcluster()
    seen = wait_until(lambda: (s := run("queue_monitor")).returncode == 0 and s, "a steady heartbeat")
    assert seen.stderr == ""
    assert "queues ok" in seen.stdout
    assert "test-narrow" in seen.stdout
    assert "\x1b" not in seen.stdout

    verbs.pause("test")
    submit("test.noop", {})
    seen = run("queue_monitor", "--json")
    assert seen.returncode == 1
    told = json.loads(seen.stdout)
    assert told["health"] == "warning"
    assert [w["code"] for w in told["warnings"] if w["code"] != "heartbeat"] == ["paused"]


@pytest.mark.slow
def test_monitor_exit_code_without_workers_redis_or_database():
    assert run("queue_monitor", "--once").returncode == 2
    seen = run("queue_monitor", "--once", REDIS_URL="redis://127.0.0.1:1/0")
    assert seen.returncode == 2
    assert "redis unavailable" in seen.stdout
    seen = run("queue_monitor", "--once", DATABASE_URL="sqlite:////nowhere/at/all.sqlite3")
    assert seen.returncode == 3
    assert "DATABASE_URL" in seen.stderr
    assert "Traceback" not in seen.stderr


def test_monitor_on_dumb_terminal_prints_plain_text(terminal):
    screen = terminal(TERM="dumb")
    assert screen.ends() == 2
    assert "queues critical" in screen.output
    assert "\x1b" not in screen.output


def test_monitor_json_with_interval_prints_lines_until_pipe_closes():
    command = [sys.executable, "manage.py", "queue_monitor", "0.1", "--json"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        for _ in range(2):
            assert json.loads(process.stdout.readline())["redis"] == "ok"
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == ""
    assert process.returncode == 0


@pytest.mark.parametrize("interval", ["0", "-1", "soon", "nan", "1e9"])
def test_monitor_with_invalid_interval_is_refused(interval):
    with pytest.raises(CommandError, match=f"interval: '{interval}' must be a number of seconds"):
        output_of("queue_monitor", "--once", "--", interval)


def test_status_prints_lines_or_json():
    submit_many("test.noop", [{}] * 3)
    head, *lines = [line.split("\t") for line in output_of("queue_status").splitlines()]
    rows = {line[0]: dict(zip(head, line, strict=True)) for line in lines}
    assert rows["test"]["waiting"] == "3"
    assert rows["test"]["state"] == "normal"
    assert json.loads(output_of("queue_status", "test", "--json"))["waiting"] == 3


def test_pause_and_resume_are_audited_with_actor_and_note():
    output_of("queue_pause", "test", "test-narrow", "--actor", "cron", "--note", "the provider is down")
    assert {pause.queue for pause in Pause.objects.all()} == {"test", "test-narrow"}
    output_of("queue_resume", "test", "test-narrow")
    assert not Pause.objects.exists()
    first, *_, last = AuditEntry.objects.order_by("id")
    assert (first.action, first.actor, first.note) == ("pause", "cron", "the provider is down")
    assert last.actor.startswith("shell:")


def test_pause_with_unknown_queue_changes_nothing_and_lists_queues():
    with pytest.raises(CommandError, match=r"'nope' is not in .*test-narrow"):
        output_of("queue_pause", "test", "nope")
    assert not Pause.objects.exists()


def test_retry_by_id_or_by_code():
    one, other, third = failed(), failed("cut_off"), failed("cut_off", queue="test-narrow")
    assert "queued again" in output_of("queue_retry", one.id.hex)
    assert "1 job of test queued again (test.noop: cut_off)." in output_of(
        "queue_retry", "--queue", "test", "--code", "cut_off"
    )
    states = {job.id: job.state for job in Job.objects.all()}
    assert states == {one.id: "waiting", other.id: "waiting", third.id: "failed"}
    assert "test has no such failed jobs." in output_of("queue_retry", "--queue", "test")


def test_retry_of_unknown_job_lists_newest_failures():
    known = failed()
    with pytest.raises(CommandError, match=known.id.hex):
        output_of("queue_retry", "0" * 32)
    with pytest.raises(CommandError, match="is not a job id"):
        output_of("queue_retry", "xyz")
    with pytest.raises(CommandError, match="cannot retry a job that is waiting"):
        output_of("queue_retry", submit("test.noop", {}).job.id.hex)


@pytest.mark.parametrize("arguments", [[], ["0" * 32, "--queue", "test"], ["0" * 32, "--most", "3"]])
def test_retry_needs_ids_or_queue(arguments):
    with pytest.raises(CommandError, match="--queue"):
        output_of("queue_retry", *arguments)


def test_clean_counts_with_dry_run_and_removes_without():
    old, new = failed(days=8), failed(days=6)
    command = ("queue_clean", "--state", "failed", "--older-than", "7d", "--queue", "test")
    assert "1 failed job of test would be removed." in output_of(*command, "--dry-run")
    assert Job.objects.count() == 2
    assert "1 failed job of test removed." in output_of(*command)
    assert [job.id for job in Job.objects.all()] == [new.id] != [old.id]


def test_drain_requires_yes():
    submit_many("test.noop", [{}] * 2)
    with pytest.raises(CommandError, match="--yes"):
        output_of("queue_drain", "test")
    assert "2 jobs of test cancelled." in output_of("queue_drain", "test", "--yes")


def test_limits_are_changed_shown_and_reset():
    said = output_of("queue_limits", "test-limited", "--concurrency", 7, "--limiter", "5/60")
    assert said == "Limits of test-limited changed: Max active jobs per cluster 7, Rate limit 5 per 60 s.\n"
    shown = {
        line.split("\t")[0]: line.split("\t")[1:]
        for line in output_of("queue_limits", "test-limited").splitlines()
    }
    assert shown["concurrency"] == ["7", "changed"]
    assert shown["limiter"] == ["5/60", "changed"]
    assert shown["global_concurrency"] == ["none", "settings"]
    output_of("queue_limits", "test-limited", "--limiter", "none")
    assert "limiter\tnone\tchanged" in output_of("queue_limits", "test-limited")
    output_of("queue_limits", "test-limited", "--clear")
    assert not LimitOverride.objects.exists()
    with pytest.raises(CommandError, match="concurrency: "):
        output_of("queue_limits", "test-limited", "--concurrency", 0)


@pytest.mark.parametrize(
    "command",
    ["monitor", "status", "pause", "resume", "retry", "clean", "drain", "limits"],
)
def test_help_ends_with_own_examples(command, capsys):
    with pytest.raises(SystemExit):
        call_command(f"queue_{command}", "--help")
    examples = capsys.readouterr().out.rpartition("examples:")[2]
    assert examples.count(f"queue_{command}") >= 1


def test_limits_shown_are_those_of_the_workers(qcluster, capsys, valkey):
    """O21: the environment of the command may differ from that of the workers."""
    qcluster(QUEUE_TEST_NARROW_CONCURRENCY="7")
    wait_until(lambda: valkey.client.hlen("{buddy}:workers") == 1, "a worker")
    first = output_of("queue_limits", "test-narrow").splitlines()[0]
    assert first == f"concurrency\t7\tsettings of the workers (here: {get_queue('test-narrow').concurrency})"
    shown = async_to_sync(queue_health)()
    assert next(q for q in shown["queues"] if q["name"] == "test-narrow")["concurrency"] == 7
    assert "limits" not in {warning["code"] for warning in shown["warnings"]}
    qcluster()
    wait_until(lambda: valkey.client.hlen("{buddy}:workers") == 2, "another worker")
    first = output_of("queue_limits", "test-narrow").splitlines()[0].split("\t")
    assert first[1].split(", ") == sorted({"7", str(get_queue("test-narrow").concurrency)})
    assert "limits" in {warning["code"] for warning in async_to_sync(queue_health)()["warnings"]}
