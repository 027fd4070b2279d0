"""`manage.py doctor`."""

import json
import logging
import sys
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from buddy.doctor import (
    clocks,
    configuration,
    database,
    machine,
    mail_server,
    model,
    queues,
    redis_server,
    web,
)
from buddy.doctor.findings import EXIT_CODES, OK, PROBLEM, WARNING, Finding, Look, inert, worst
from buddy.doctor.run import run

_STYLES = {OK: "SUCCESS", WARNING: "WARNING", PROBLEM: "ERROR"}


class Command(BaseCommand):
    """Look at everything that the site needs."""

    help = (
        "Look at everything that the site needs, and say what is wrong and what to do: settings, database, "
        "Redis, the model (with a real call of a few tokens), queues and workers, the public address with a "
        "WebSocket, static files, mail, clocks, disk, files. Exit code: 0 if all is well, 1 with warnings, "
        "2 with problems."
    )
    requires_system_checks: list[str] = []  # they are one of the looks

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--json", action="store_true", help="write JSON")
        parser.add_argument("--free", action="store_true", help="ask the model nothing that costs money")
        parser.add_argument(
            "--mail-to", metavar="ADDRESS", default="", help="also send a mail to this address"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, print, and exit with the code of the worst finding."""
        logging.disable()  # what is logged meanwhile is in the findings
        try:
            code = self._examine(options)
        finally:
            logging.disable(logging.NOTSET)
        sys.exit(code)

    def _examine(self, options: dict[str, Any]) -> int:
        found: list[tuple[Look, list[Finding]]] = []
        for look, findings in run(looks(free=options["free"], mail_to=options["mail_to"])):
            found.append((look, findings))
            if not options["json"]:
                self._print(look, findings)
        everything = [finding for _, findings in found for finding in findings]
        if options["json"]:
            self.stdout.write(json.dumps(as_json(found), indent=2))
        else:
            counts = {level: sum(finding.level == level for finding in everything) for level in EXIT_CODES}
            self.stdout.write(f"\n{counts[PROBLEM]} problems, {counts[WARNING]} warnings, {counts[OK]} ok")
        self.stdout.flush()
        return EXIT_CODES[worst(everything)]

    def _print(self, look: Look, findings: list[Finding]) -> None:
        for finding in findings:
            level = getattr(self.style, _STYLES[finding.level])(f"{finding.level:<8}")
            self.stdout.write(f"{level} {look.name:<9} {inert(finding.text)}")
            if finding.advice:
                self.stdout.write(f"{'':<19}→ {inert(finding.advice)}")
        self.stdout.flush()


def looks(*, free: bool = False, mail_to: str = "") -> list[Look]:
    """Return all looks, in the order in which they are printed: what others need comes first."""
    ask = model.examine_for_free if free else model.examine
    return [
        Look("settings", configuration.examine, "Correct the settings first: docs/settings.md"),
        Look("database", database.examine, database.ADVICE),
        Look("redis", redis_server.examine, redis_server.ADVICE),
        Look("model", ask, model.ADVICE, deadline=60.0),
        Look("queues", queues.examine, queues.ADVICE),
        Look("web", web.examine, web.ADVICE, deadline=30.0),
        Look("static", machine.examine_static, "Run: manage.py collectstatic --noinput"),
        Look("mail", partial(mail_server.examine, mail_to), mail_server.ADVICE, deadline=30.0),
        Look("clocks", clocks.examine, clocks.ADVICE),
        Look("disk", machine.examine_disk, "Check the disks of this host."),
        Look("files", machine.examine_files, "Check the owner of var/ and of the database's file."),
    ]


def as_json(found: list[tuple[Look, list[Finding]]]) -> dict[str, Any]:
    """Return the findings for programs."""
    return {
        "status": worst(finding for _, findings in found for finding in findings),
        "findings": [
            {"area": look.name, "level": finding.level, "text": finding.text, "advice": finding.advice}
            for look, findings in found
            for finding in findings
        ],
    }
