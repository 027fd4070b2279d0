"""`manage.py queue_status [queue]`: what the queues hold, for scripts."""

import asyncio
import json
from typing import Any

from django.core.management.base import CommandParser

from queueing.conf import get_queue
from queueing.management.operator import HelpfulCommand, told
from queueing.monitoring.health import queue_health
from queueing.schedule import redis_client

_HEAD = ("queue", "waiting", "active", "delayed", "oldest_seconds", "completed_24h", "failed_24h", "state")


class Command(HelpfulCommand):
    """Tell what the queues hold."""

    help = (
        "Print one line for each queue, columns separated by tabs, the first line naming them; '-' is\n"
        "unknown (Redis is away). For people: queue_monitor --once.\n\n"
        "exit code: 0, whatever the queues' health; 3 without a database. For health: queue_monitor --once."
    )
    examples = (
        "  manage.py queue_status | column -t\n"
        "  manage.py queue_status openai-chat | tail -1 | cut -f2      how many wait\n"
        "  manage.py queue_status openai-chat --json | jq .oldestWaiting"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """One queue, or all."""
        parser.add_argument("queue", nargs="?", help="only this one")
        parser.add_argument("--json", action="store_true", help="as GET /api/queue/status has it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Looks once."""
        with told():
            name = options["queue"] and get_queue(options["queue"]).name
            seen = asyncio.run(_look())
        queues = [queue for queue in seen["queues"] if name in (None, queue["name"])]
        if options["json"]:
            self.stdout.write(json.dumps(seen if name is None else queues[0] if queues else {"name": name}))
            return
        for line in (_HEAD, *map(_line, queues)):
            self.stdout.write("\t".join(line))


async def _look() -> dict[str, Any]:
    try:
        return await queue_health()
    finally:
        await redis_client.aclose()


def _line(queue: dict[str, Any]) -> list[str]:
    day = queue.get("day") or {"completed": 0, "failed": 0}
    oldest = queue.get("oldestWaiting")
    now = [str(queue.get(what, "-")) for what in ("waiting", "active", "delayed")]
    state = "paused" if queue.get("paused") else queue.get("pressure", "-")
    return [
        queue["name"],
        *now,
        "-" if oldest is None else f"{oldest:.0f}",
        str(day["completed"]),
        str(day["failed"]),
        state,
    ]
