"""`manage.py queue_weight OWNER [WEIGHT]`."""

from typing import Any

from django.core.management.base import CommandParser

from queueing.control.actions import ACTIONS
from queueing.limits.weights import MAX_WEIGHT, get_weight
from queueing.management.operator import OperatorCommand


class Command(OperatorCommand):
    """Show or change the weight of an owner in line."""

    help = (
        f"Change the weight of an owner. {ACTIONS['set_weight'].consequence}\n"
        "Without a weight, the command prints the one that applies now."
    )
    examples = (
        "  manage.py queue_weight u:7 3 --note 'has the large plan'\n"
        "  manage.py queue_weight --share n:203.0.113.0 2\n"
        "  manage.py queue_weight u:7 1                             as all others"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the owner and the weight."""
        parser.add_argument("owner", help="name of the owner")
        parser.add_argument("weight", nargs="?", type=int, help=f"1 (as all others) to {MAX_WEIGHT}")
        parser.add_argument("--share", action="store_true", help="the name is that of a share")
        super().add_arguments(parser)

    def operate(self, options: dict[str, Any]) -> None:
        """Show the weight, or change it."""
        owner, is_share = options["owner"], options["share"]
        if options["weight"] is None:
            self.write(f"{owner}\t{get_weight(owner, share=is_share)}")
        else:
            self.perform("set_weight", owner=owner, is_share=is_share, weight=options["weight"])
