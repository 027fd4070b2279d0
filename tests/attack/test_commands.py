"""Commands act with the rights of their shell. None prints what people wrote."""

import io

import pytest
from django.core.management import CommandError, call_command, get_commands

from .victim import MARK, user_victim

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

#: The arguments with which each command of ours is tried; None for one that serves until it is stopped.
COMMANDS: dict[str, list[str] | None] = {
    "block": ["no-such-user"],
    "doctor": ["--json", "--free"],
    "invite": ["--note", "for a test"],
    "qcluster": None,
    "queue_clean": ["--state", "completed", "--older-than", "1d"],
    "queue_drain": ["openai-chat", "--yes"],
    "queue_limits": ["openai-chat"],
    "queue_monitor": ["--once"],
    "queue_pause": ["openai-chat"],
    "queue_resume": ["openai-chat"],
    "queue_retry": ["--queue", "openai-chat"],
    "queue_status": ["--json"],
    "renew_secrets": [],
    "reset_second_factor": ["no-such-user"],
    "unblock": ["1"],
}


def ours() -> set[str]:
    """Return the names of the commands of this project."""
    return {
        name for name, app in get_commands().items() if str(app).startswith(("buddy", "chat", "queueing"))
    }


def test_every_command_has_a_row():
    assert ours() == set(COMMANDS), f"Correct COMMANDS in {__file__} for {ours() ^ set(COMMANDS)}"


@pytest.mark.parametrize("name", [name for name, args in COMMANDS.items() if args is not None])
def test_command_prints_nothing_that_people_wrote(name: str, capsys: pytest.CaptureFixture[str]):
    user_victim()
    out = io.StringIO()
    try:
        call_command(name, *(COMMANDS[name] or []), stdout=out, stderr=out)
    except (CommandError, SystemExit) as exc:
        out.write(str(exc))
    captured = capsys.readouterr()
    printed = out.getvalue() + captured.out + captured.err
    assert printed.strip()
    assert MARK not in printed
