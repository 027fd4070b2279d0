"""`manage.py queue_monitor [interval]`: the queues on a terminal's screen, or in one picture."""

import asyncio
import json
import math
import os
import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from rich.console import Console

from queueing.management.operator import CANNOT_TELL, HelpfulCommand, told, user
from queueing.monitoring import health
from queueing.schedule import redis_client
from queueing.terminal import tables, terminal
from queueing.terminal.screen import Monitor

#: Exit codes.
_CODES = {health.OK: 0, health.WARNING: 1, health.CRITICAL: 2}
#: Seconds between two looks, unless one says otherwise.
_INTERVAL = 2.0
#: Characters a line has where nobody says: in a pipe.
_WIDTH = 100


class Command(HelpfulCommand):
    """Watch the queues."""

    help = (
        "Show queues, workers, rates and failures, again every INTERVAL seconds, with keys to pause,\n"
        "resume, retry, drain and clean (? lists them). What the keys do is on record under your name.\n"
        "Where there is no screen (a pipe, cron, TERM=dumb) it is one plain picture, as with --once.\n\n"
        "exit code with --once or --json: 0 all is well, 1 a warning, 2 critical, 3 cannot tell (no\n"
        "database, a wrong interval). The live screen ends with 0. Colours follow NO_COLOR, and words say\n"
        "the same."
    )
    examples = (
        "  manage.py queue_monitor                     a live screen, every 2 seconds\n"
        "  ssh -t host manage.py queue_monitor 5       from afar, every 5 seconds\n"
        "  manage.py queue_monitor --once || page-me   in cron\n"
        "  manage.py queue_monitor --json | jq .health\n"
        "  manage.py queue_monitor 10 --json >> log    one JSON document a line, every 10 seconds"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The interval, and what is not the screen."""
        parser.add_argument("interval", nargs="?", help="seconds between looks (2)")
        parser.add_argument("--once", action="store_true", help="one plain picture")
        parser.add_argument(
            "--json", action="store_true", help="one JSON document; with an interval, one a line"
        )
        parser.add_argument("--actor", default=user("terminal"), help="who the record names (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ends with `SystemExit` when the exit code says something."""
        interval = options["interval"] and _interval(options["interval"])
        try:
            if options["json"] and interval and not options["once"]:
                self._lines(interval)
            elif options["once"] or options["json"] or not terminal.is_one():
                self._once(options["json"])
            else:
                with terminal.opened(Console(highlight=False)) as opened:
                    Monitor(opened, interval or _INTERVAL, options["actor"]).run()
        except (KeyboardInterrupt, EOFError):
            return
        except BrokenPipeError:  # `| head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def _lines(self, interval: float) -> None:
        while True:
            self._write_json()
            time.sleep(interval)

    def _once(self, as_json: bool) -> None:
        if as_json:
            seen = self._write_json()
        else:
            seen = _look()
            console = Console(
                file=self.stdout, highlight=False, width=None if self.stdout.isatty() else _WIDTH
            )
            when = time.strftime("%Y-%m-%d %H:%M:%S")
            console.print(tables.once(seen, when=when, width=console.width))
        if code := _CODES[seen["health"]]:
            raise SystemExit(code)

    def _write_json(self) -> dict[str, Any]:
        seen = _look()
        self.stdout.write(json.dumps(seen))
        self.stdout.flush()
        return seen


def _look() -> dict[str, Any]:
    async def look() -> dict[str, Any]:
        try:
            return await health.queue_health()
        finally:
            await redis_client.aclose()

    with told():
        return asyncio.run(look())


def _interval(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.1 <= value <= 86_400:
        raise CommandError(f"interval: {text!r} should be seconds, 0.1 to 86400", returncode=CANNOT_TELL)
    return value
