"""`manage.py queue_monitor [interval]`: the queues as a live screen, or printed once."""

import json
import math
import os
import time
from typing import Any

from django.core.management.base import CommandError, CommandParser

from queueing.management.operator import EXIT_UNKNOWN, HelpfulCommand, default_actor, read_health
from queueing.monitoring import health
from queueing.values.extras import extra

_EXIT_CODES = {health.OK: 0, health.WARNING: 1, health.CRITICAL: 2}
#: Seconds between two polls by default.
_INTERVAL = 2.0
#: The width of the output in characters where it is not a terminal.
_WIDTH = 100


class Command(HelpfulCommand):
    """Watch the queues."""

    help = (
        "Show queues, workers, rates and failures, updated every INTERVAL seconds, with keys to pause,\n"
        "resume, retry, drain and clean (? lists them). All actions are in the audit log under your name.\n"
        "Without a terminal (a pipe, cron, TERM=dumb) the output is printed once, as with --once.\n\n"
        "exit code with --once or --json: 0 ok, 1 warning, 2 critical, 3 unknown (no database, or an\n"
        "invalid interval). The live screen ends with 0. Colours follow NO_COLOR; words say the same."
    )
    examples = (
        "  manage.py queue_monitor                     a live screen, every 2 seconds\n"
        "  ssh -t host manage.py queue_monitor 5       on another host, every 5 seconds\n"
        "  manage.py queue_monitor --once || page-me   in cron\n"
        "  manage.py queue_monitor --json | jq .health\n"
        "  manage.py queue_monitor 10 --json >> log    one JSON document per line, every 10 seconds"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the interval and the formats of output."""
        parser.add_argument("interval", nargs="?", help="seconds between updates (2)")
        parser.add_argument("--once", action="store_true", help="print once as plain text")
        parser.add_argument(
            "--json", action="store_true", help="one JSON document; with an interval, one per line"
        )
        parser.add_argument(
            "--actor", default=default_actor("terminal"), help="name for the audit log (%(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Show the queues. Raise `SystemExit` if the exit code is not 0."""
        interval = _interval(options["interval"]) if options["interval"] else None
        try:
            if options["json"] and interval and not options["once"]:
                self._write_lines(interval)
            elif options["json"]:
                _exit_with(self._write_json())
            else:
                self._show(interval or _INTERVAL, options["actor"], once=options["once"])
        except ModuleNotFoundError as missing:
            raise CommandError(str(missing)) from None
        except (KeyboardInterrupt, EOFError):
            return
        except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def _write_lines(self, interval: float) -> None:
        while True:
            self._write_json()
            time.sleep(interval)

    def _show(self, interval: float, actor: str, *, once: bool) -> None:
        with extra("monitor"):
            from rich.console import Console

            from queueing.terminal import screen, tables, terminal
        if not once and terminal.is_terminal():
            with terminal.opened(Console(highlight=False)) as opened:
                screen.Monitor(opened, interval, actor).run()
            return
        overview = read_health()
        console = Console(file=self.stdout, highlight=False, width=None if self.stdout.isatty() else _WIDTH)
        console.print(tables.once(overview, when=time.strftime("%Y-%m-%d %H:%M:%S"), width=console.width))
        _exit_with(overview)

    def _write_json(self) -> dict[str, Any]:
        overview = read_health()
        self.write(json.dumps(overview))
        self.stdout.flush()
        return overview


def _exit_with(overview: dict[str, Any]) -> None:
    """Raise `SystemExit` if the queues need attention."""
    if code := _EXIT_CODES[overview["health"]]:
        raise SystemExit(code)


def _interval(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.1 <= value <= 86_400:
        raise CommandError(
            f"interval: {text!r} must be a number of seconds, 0.1 to 86400", returncode=EXIT_UNKNOWN
        )
    return value
