"""Commands act with the rights of their shell. None prints what people wrote."""

import io

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command, get_commands

from chat.accounts.models import Block

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
    "queue_recurring": ["list"],
    "queue_resume": ["openai-chat"],
    "queue_retry": ["--queue", "openai-chat"],
    "queue_status": ["--json"],
    "queue_weight": ["u:7"],
    "renew_secrets": [],
    "reset_second_factor": ["no-such-user"],
    "try_alerts": [],
    "unblock": ["1"],
}


def ours() -> set[str]:
    """Return the names of the commands of this project."""
    return {
        name for name, app in get_commands().items() if str(app).startswith(("buddy", "chat", "queueing"))
    }


def test_every_command_has_a_row():
    assert ours() == set(COMMANDS), f"Correct COMMANDS in {__file__} for {ours() ^ set(COMMANDS)}"


@pytest.mark.parametrize("hostile", ["\x1b]0;title\x07", "\x9b31m", "a\nb\r\u202ec"], ids=ascii)
def test_names_and_notes_that_a_command_prints_control_no_terminal(hostile: str):
    """O17: what stands in the database, by whatever way it came there."""
    user = User.objects.create_user(f"mallory{hostile}", password="x-4711-long")
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    Block.objects.create(owner="s:a", reason=f"You{hostile}", created_by=f"root{hostile}")
    out = io.StringIO()
    for command in (["block"], ["reset_second_factor", user.username]):
        call_command(*command, stdout=out)
    with pytest.raises(CommandError) as refused:
        call_command("reset_second_factor", user.username)
    lines = [*out.getvalue().split("\n"), str(refused.value)]
    assert len(lines) == 4
    assert all(line.isprintable() for line in lines), lines


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
