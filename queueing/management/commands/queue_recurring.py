"""`manage.py queue_recurring [list | run | pause | resume] [NAME …]`."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from queueing.management.operator import OperatorCommand
from queueing.models import RecurringJob
from queueing.recurring import overview
from queueing.recurring.overview import RecurringView

_COLUMNS = ("name", "state", "next", "last", "outcome", "times")


class Command(OperatorCommand):
    """List recurring jobs, run them now, pause and resume them."""

    help = (
        "List recurring jobs: one line each, with columns separated by tabs; the first line names them.\n"
        "Or run them now, pause or resume them, by name. Times are in the time zone of the settings."
    )
    examples = (
        "  manage.py queue_recurring | column -ts $'\\t'\n"
        "  manage.py queue_recurring pause 'daily report' --note 'the source is being moved'\n"
        "  manage.py queue_recurring run 'daily report'"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the action and the names."""
        parser.add_argument("action", nargs="?", default="list", choices=["list", "run", "pause", "resume"])
        parser.add_argument("name", nargs="*", help="names of recurring jobs")
        super().add_arguments(parser)

    def operate(self, options: dict[str, Any]) -> None:
        """List, or perform the action on each name."""
        action, names = options["action"], options["name"]
        if action == "list":
            rows = RecurringJob.objects.filter(name__in=names) if names else RecurringJob.objects.all()
            for line in (_COLUMNS, *map(_line, overview.views(list(rows)))):
                self.write("\t".join(line))
            return
        if not names:
            raise CommandError(f"Name the recurring jobs to {action}. `queue_recurring list` shows them.")
        for name in names:
            self.perform(f"{action}_recurring", recurring=name)


def _line(view: RecurringView) -> tuple[str, ...]:
    state = (
        "paused" if view.row.paused else "refused" if view.row.refusal else "late" if view.is_late else "on"
    )
    if state == "on" and view.is_failing:
        state = "failing"
    times = [
        f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}" if at else "-"
        for at in (view.next_at, view.last and view.last.last_tick)
    ]
    outcome = ", ".join(filter(None, (view.outcome, view.last_state)))
    return (view.row.name, state, *times, outcome or "-", view.times)
