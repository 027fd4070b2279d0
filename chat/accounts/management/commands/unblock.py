"""`manage.py unblock NUMBER`: lift a block. `manage.py block` shows the numbers."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chat.accounts import blocking
from chat.accounts.models import Block


class Command(BaseCommand):
    """The command."""

    help = "Lift a block. `manage.py block` lists the blocks with their numbers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int)

    def handle(self, *args: Any, number: int, **options: Any) -> None:
        row = Block.objects.filter(pk=number).first()
        if row is None or not blocking.lift(row, actor=getpass.getuser()):
            raise CommandError(f"There is no block {number} in force.")
        self.stdout.write(f"Block {number} is lifted.")
