"""`manage.py qcluster`: replaces Django-Q2's command of the same name."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from queueing.errors import BadValue
from queueing.worker.served_queues import served_queues


class Command(BaseCommand):
    """Run a cluster in the foreground."""

    help = (
        "Run a cluster: the processes that run the queues' jobs, and Django-Q2's tasks and schedules. "
        "On SIGTERM or Ctrl-C, active jobs may finish (QUEUEING['GRACE'] seconds); the rest is given back. "
        "Start any number of clusters, on any number of hosts: each adds the concurrency of its queues. "
        "SIGTSTP makes a cluster quiet (active jobs finish, no others start), and SIGCONT ends this."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the queues, and -n, the name of a Django-Q2 cluster in ALT_CLUSTERS, as in Django-Q2."""
        parser.add_argument("-n", "--name", dest="cluster_name", help="Django-Q2 cluster name")
        parser.add_argument(
            "--queues",
            type=_patterns,
            default=(),
            metavar="NAME,…",
            help="serve only these: names, or patterns with *",
        )
        parser.add_argument(
            "--exclude", type=_patterns, default=(), metavar="NAME,…", help="do not serve these"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until the cluster has stopped."""
        if options["cluster_name"]:
            os.environ["Q_CLUSTER_NAME"] = options["cluster_name"]
        try:
            queues = served_queues(options["queues"], options["exclude"])
        except BadValue as exc:
            raise CommandError(f"--{exc}") from None
        from queueing.worker.supervisor import Supervisor  # Django-Q2 reads the name at import

        Supervisor(queues).run()


def _patterns(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
