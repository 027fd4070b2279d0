"""The commands for scripts: what they print, what they change and leave on record, how they end."""

import itertools
import json
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from queueing.control import verbs
from queueing.ids import first_id_at
from queueing.models import AuditEntry, Job, LimitOverride, Pause
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.support.cluster import ROOT, environment
from tests.support.valkey import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def says(*command: object) -> str:
    """What the command prints."""
    out = StringIO()
    call_command(*map(str, command), stdout=out)
    return out.getvalue()


numbers = itertools.count(1)


def failed(code: str = "no_quota", queue: str = "test", days: float = 1) -> Job:
    """A job that failed so long ago."""
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
    """`manage.py` in a pipe."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment(**env), text=True, capture_output=True)


def test_the_monitor_in_a_pipe_is_one_plain_picture_whose_exit_code_is_the_queues_health(qcluster):
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
def test_without_workers_or_redis_it_is_critical_and_without_a_database_nobody_can_tell():
    assert run("queue_monitor", "--once").returncode == 2
    seen = run("queue_monitor", "--once", REDIS_URL="redis://127.0.0.1:1/0")
    assert seen.returncode == 2
    assert "redis unavailable" in seen.stdout
    seen = run("queue_monitor", "--once", DATABASE_URL="sqlite:////nowhere/at/all.sqlite3")
    assert seen.returncode == 3
    assert "DATABASE_URL" in seen.stderr
    assert "Traceback" not in seen.stderr


def test_a_dumb_terminal_gets_the_plain_picture(terminal):
    screen = terminal(TERM="dumb")
    assert screen.ends() == 2
    assert "queues critical" in screen.said
    assert "\x1b" not in screen.said


def test_with_an_interval_json_is_a_line_each_time_and_a_closed_pipe_is_no_error():
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
def test_an_interval_that_is_none_is_named(interval):
    with pytest.raises(CommandError, match=f"interval: '{interval}' must be a number of seconds"):
        says("queue_monitor", "--once", "--", interval)


def test_status_is_a_line_a_queue_or_json():
    submit_many("test.noop", [{}] * 3)
    head, *lines = [line.split("\t") for line in says("queue_status").splitlines()]
    rows = {line[0]: dict(zip(head, line, strict=True)) for line in lines}
    assert rows["test"]["waiting"] == "3"
    assert rows["test"]["state"] == "normal"
    assert json.loads(says("queue_status", "test", "--json"))["waiting"] == 3


def test_pausing_and_resuming_is_on_record_with_who_and_why():
    says("queue_pause", "test", "test-narrow", "--actor", "cron", "--note", "the provider is down")
    assert {pause.queue for pause in Pause.objects.all()} == {"test", "test-narrow"}
    says("queue_resume", "test", "test-narrow")
    assert not Pause.objects.exists()
    first, *_, last = AuditEntry.objects.order_by("id")
    assert (first.action, first.actor, first.note) == ("pause", "cron", "the provider is down")
    assert last.actor.startswith("shell:")


def test_an_unknown_queue_is_named_with_those_there_are_and_nothing_is_done_to_the_others():
    with pytest.raises(CommandError, match=r"'nope' is not in .*test-narrow"):
        says("queue_pause", "test", "nope")
    assert not Pause.objects.exists()


def test_jobs_are_run_again_by_id_or_by_how_they_failed():
    one, other, third = failed(), failed("cut_off"), failed("cut_off", queue="test-narrow")
    assert "queued again" in says("queue_retry", one.id.hex)
    assert "1 job of test queued again (test.noop: cut_off)." in says(
        "queue_retry", "--queue", "test", "--code", "cut_off"
    )
    states = {job.id: job.state for job in Job.objects.all()}
    assert states == {one.id: "waiting", other.id: "waiting", third.id: "failed"}
    assert "test has no such failed jobs." in says("queue_retry", "--queue", "test")


def test_an_unknown_job_is_named_with_the_newest_that_failed():
    known = failed()
    with pytest.raises(CommandError, match=known.id.hex):
        says("queue_retry", "0" * 32)
    with pytest.raises(CommandError, match="is not a job id"):
        says("queue_retry", "xyz")
    with pytest.raises(CommandError, match="cannot retry a job that is waiting"):
        says("queue_retry", submit("test.noop", {}).job.id.hex)


@pytest.mark.parametrize("arguments", [[], ["0" * 32, "--queue", "test"], ["0" * 32, "--most", "3"]])
def test_what_to_run_again_has_to_be_said_in_one_way(arguments):
    with pytest.raises(CommandError, match="--queue"):
        says("queue_retry", *arguments)


def test_old_jobs_are_counted_first_and_then_removed():
    old, new = failed(days=8), failed(days=6)
    command = ("queue_clean", "--state", "failed", "--older-than", "7d", "--queue", "test")
    assert "1 failed job of test would be removed." in says(*command, "--dry-run")
    assert Job.objects.count() == 2
    assert "1 failed job of test removed." in says(*command)
    assert [job.id for job in Job.objects.all()] == [new.id] != [old.id]


def test_draining_wants_to_be_meant():
    submit_many("test.noop", [{}] * 2)
    with pytest.raises(CommandError, match="--yes"):
        says("queue_drain", "test")
    assert "2 jobs of test cancelled." in says("queue_drain", "test", "--yes")


def test_limits_are_changed_shown_and_cleared():
    said = says("queue_limits", "test-limited", "--concurrency", 7, "--limiter", "5/60")
    assert said == "Limits of test-limited changed: Max running per cluster 7, Rate limit 5 per 60 s.\n"
    shown = {
        line.split("\t")[0]: line.split("\t")[1:]
        for line in says("queue_limits", "test-limited").splitlines()
    }
    assert shown["concurrency"] == ["7", "changed"]
    assert shown["limiter"] == ["5/60", "changed"]
    assert shown["global_concurrency"] == ["none", "settings"]
    says("queue_limits", "test-limited", "--limiter", "none")
    assert "limiter\tnone\tchanged" in says("queue_limits", "test-limited")
    says("queue_limits", "test-limited", "--clear")
    assert not LimitOverride.objects.exists()
    with pytest.raises(CommandError, match="concurrency: "):
        says("queue_limits", "test-limited", "--concurrency", 0)


@pytest.mark.parametrize(
    "command",
    ["monitor", "status", "pause", "resume", "retry", "clean", "drain", "limits"],
)
def test_help_has_examples_that_are_the_commands_own(command, capsys):
    with pytest.raises(SystemExit):
        call_command(f"queue_{command}", "--help")
    examples = capsys.readouterr().out.rpartition("examples:")[2]
    assert examples.count(f"queue_{command}") >= 1
