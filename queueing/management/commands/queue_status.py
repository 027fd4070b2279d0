"""`manage.py queue_status [queue]`: the counts of the queues, for scripts."""

import json
from typing import Any

from django.core.management.base import CommandParser

from queueing.conf import get_queue
from queueing.management.operator import HelpfulCommand, command_errors, read_health

_COLUMNS = (
    "queue", "waiting", "active", "delayed", "oldest_seconds", "completed_24h", "failed_24h", "state",
    "unable",
)  # fmt: skip


class Command(HelpfulCommand):
    """Print the counts of the queues."""

    help = (
        "Print one line for each queue, with columns separated by tabs; the first line names them. '-'\n"
        "means unknown (Redis is unavailable). For people: queue_monitor --once.\n\n"
        "exit code: 0, also when queues have problems; 3 without a database. For health:\n"
        "queue_monitor --once."
    )
    examples = (
        "  manage.py queue_status | column -t\n"
        "  manage.py queue_status openai-chat | tail -1 | cut -f2      number of waiting jobs\n"
        "  manage.py queue_status openai-chat --json | jq .oldestWaiting"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the queue."""
        parser.add_argument("queue", nargs="?", help="only this queue")
        parser.add_argument("--json", action="store_true", help="the format of GET /api/queue/status")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read the queues once, and print them."""
        with command_errors():
            name = options["queue"] and get_queue(options["queue"]).name
        overview = read_health()
        queues = [queue for queue in overview["queues"] if name in (None, queue["name"])]
        if options["json"]:
            one = queues[0] if queues else {"name": name}
            self.write(json.dumps(overview if name is None else one))
            return
        for line in (_COLUMNS, *map(_line, queues)):
            self.write("\t".join(line))


def _line(queue: dict[str, Any]) -> list[str]:
    day = queue.get("day") or {"completed": 0, "failed": 0}
    oldest = queue.get("oldestWaiting")
    now = [str(queue.get(what, "-")) for what in ("waiting", "active", "delayed")]
    state = "provider_down" if queue.get("outage") else queue.get("pressure", "-")
    if queue.get("paused"):
        state = "paused"
    return [
        queue["name"],
        *now,
        "-" if oldest is None else f"{oldest:.0f}",
        str(day["completed"]),
        str(day["failed"]),
        state,
        str(queue.get("unable", "-")),
    ]
