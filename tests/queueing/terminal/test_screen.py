"""The live screen, driven by its keys on a real pseudoterminal."""

import os
import signal

import pytest

from queueing.conf import get_conf
from queueing.models import AuditEntry, Job, Pause
from queueing.states import State
from queueing.submit import submit, submit_many
from tests.queueing.worker.test_end_to_end import finished
from tests.support.valkey import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def select(screen, queue):
    """Move the selection down to the queue."""
    screen.sees("> test ")
    screen.press("j" * list(get_conf().queues).index(queue))
    screen.sees(f"> {queue} ")


def test_keys_pause_and_resume_selected_queue_and_q_restores_terminal(terminal, qcluster):
    qcluster()
    screen = terminal()
    screen.sees("queues ok", "redis ok", "workers 1", "test-narrow", "p pause")
    select(screen, "test-narrow")

    screen.press("p")
    screen.sees("test-narrow is paused")
    assert Pause.objects.filter(queue="test-narrow").exists()
    screen.press("r")
    screen.sees("test-narrow is resumed")
    assert not Pause.objects.exists()
    entries = list(AuditEntry.objects.order_by("id").values_list("action", "queue", "actor"))
    assert [entry[:2] for entry in entries] == [("pause", "test-narrow"), ("resume", "test-narrow")]
    assert entries[0][2].startswith("terminal:")

    screen.press("q")
    assert screen.ends() == 0
    assert screen.is_restored()


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("\x03", 0),
        pytest.param(signal.SIGTERM, 128 + signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 128 + signal.SIGHUP, marks=pytest.mark.slow),
    ],
    ids=["Ctrl-C", "SIGTERM", "SIGHUP"],
)
def test_terminal_is_restored_after_signal(terminal, end, code):
    screen = terminal("0.5")
    screen.sees("queues")
    if isinstance(end, str):
        screen.press(end)
    else:
        screen.process.send_signal(end)
    assert screen.ends() == code
    assert screen.is_restored()
    assert "Traceback" not in screen.output


def test_closed_window_ends_process(terminal):
    screen = terminal("0.5")
    screen.sees("queues")
    screen.hang_up()
    assert screen.ends() == 128 + signal.SIGHUP


def test_terminal_is_restored_after_exception_and_traceback_is_shown(terminal):
    program = (
        "from rich.console import Console; from queueing.terminal.terminal import opened\n"
        "with opened(Console()): raise RuntimeError('a bug')"
    )
    screen = terminal(command=("-c", program))
    assert screen.ends() == 1
    assert screen.is_restored()
    assert "a bug" in screen.output.rpartition("\x1b[?1049l")[2]


def test_irreversible_action_asks_for_confirmation(terminal):
    submit_many("test.narrow", [{}] * 3)
    screen = terminal("0.5")
    select(screen, "test-narrow")
    screen.press("D")
    screen.sees("Drain test-narrow?", "y/n")
    screen.press("n")
    screen.sees("Nothing was changed.")
    assert Job.objects.filter(state=State.WAITING).count() == 3
    screen.press("Dy")
    screen.sees("Drain test-narrow?")
    screen.press("y")
    screen.sees("3 jobs of test-narrow cancelled.")
    assert Job.objects.filter(state=State.CANCELLED).count() == 3
    assert AuditEntry.objects.get().action == "drain"


def test_failures_view_retries_group(terminal, qcluster):
    qcluster()
    for _ in range(2):
        finished(submit("test.flaky", {"fail": 1, "how": "permanent"}).job)
    screen = terminal("0.5")
    screen.sees("queues")
    screen.press("f")
    screen.sees("test.flaky", "hopeless", "t retry all jobs of the group")
    screen.press("t")
    screen.sees("Retry all jobs of test.flaky that failed with hopeless?")
    screen.press("y")
    screen.sees("2 jobs of test queued again")
    wait_until(lambda: Job.objects.filter(state=State.COMPLETED).count() == 2, "both to complete")
    screen.press("\x1b")
    screen.sees("test-narrow")


def test_active_jobs_view_cancels_job(terminal, qcluster):
    qcluster()
    job = submit("test.sleep", {"seconds": 600}, owner="u:somebody").job
    screen = terminal("0.5")
    screen.sees("queues")
    screen.press("a")
    screen.sees(job.id.hex, "test.sleep", "X cancel")
    assert "somebody" not in screen.output
    screen.press("X")
    screen.sees(f"y/n  Cancel test.sleep {job.id.hex}?")
    screen.press("y")
    screen.sees("cancelled.")
    assert finished(job).state == State.CANCELLED


def test_redis_outage_and_return_are_shown(terminal, valkey):
    screen = terminal("0.2")
    screen.sees("redis ok")
    valkey.stop()
    screen.sees("redis unavailable", "New jobs are stored")
    valkey.start()
    screen.sees("redis ok")


@pytest.mark.parametrize(
    "size",
    [(120, 40), *(pytest.param(size, marks=pytest.mark.slow) for size in ((80, 24), (44, 12), (20, 5)))],
)
def test_screen_fits_window_after_resize(terminal, size):
    columns, lines = size
    screen = terminal("0.5")
    screen.sees("queues")
    screen.resize(*size)

    def fits():
        drawn = screen.screen.split("\n")
        return len(drawn) == lines and all(len(line) <= columns for line in drawn)

    wait_until(fits, f"a screen of {size}")
    screen.sees("queues", "test-narrow") if lines > 5 else screen.sees("queues")
    screen.press("q")
    assert screen.ends() == 0


def test_no_color_disables_colours(terminal):
    screen = terminal("0.5", NO_COLOR="1")
    screen.sees("critical")
    os.kill(screen.process.pid, signal.SIGTERM)
    screen.ends()
    assert "\x1b[31m" not in screen.output
    assert "\x1b[1;31m" not in screen.output
