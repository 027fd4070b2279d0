"""`manage.py block WHO --reason …`: block a person or a network. Without WHO, list the blocks."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chat.accounts import blocking
from chat.accounts.models import Block
from chat.errors import InvalidInput


class Command(BaseCommand):
    """The command."""

    help = (
        "Block a user, a visitor or a network: everything that is open ends within seconds. "
        "Without WHO, list the blocks that are in force. Staff are never blocked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "who",
            nargs="?",
            help="the name or verified e-mail address of a user, an owner key (u:12, s:…), "
            "or an address or network (192.0.2.7, 192.0.2.0/24, 2001:db8::/64)",
        )
        parser.add_argument("--reason", default="", help="a sentence that the blocked read")
        parser.add_argument("--days", type=float, help="the days after which it ends; else when it is lifted")

    def handle(self, *args: Any, who: str | None, reason: str, days: float | None, **options: Any) -> None:
        if who is None:
            self._list()
            return
        try:
            row = blocking.block(who, reason=reason, days=days, actor=getpass.getuser())
        except InvalidInput as exc:
            raise CommandError(f"{exc.field}: {exc.message}") from exc
        self.stdout.write(f"Block {row.pk}: {row.owner or row.network} is blocked {_until(row)}.")

    def _list(self) -> None:
        for row in Block.objects.active():
            line = f"{row.pk}  {row.owner or row.network}  {_until(row)}  by {row.created_by}: {row.reason}"
            self.stdout.write("".join(one if one.isprintable() else " " for one in line))


def _until(row: Block) -> str:
    return f"until {row.ends_at:%Y-%m-%d %H:%M} UTC" if row.ends_at else "until it is lifted"
