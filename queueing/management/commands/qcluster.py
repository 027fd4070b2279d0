"""`manage.py qcluster`: in place of Django-Q2's command of the same name."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    """Run a cluster in the foreground."""

    help = (
        "Run a cluster: the processes that do the queues' jobs, Django-Q2's tasks and its schedules. "
        "SIGTERM or Ctrl-C lets running jobs finish (QUEUEING['GRACE'] seconds) and gives back the rest. "
        "Start as many clusters as you like, on as many hosts: each adds its queues' concurrency."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """-n names a Django-Q2 cluster of ALT_CLUSTERS, as in Django-Q2."""
        parser.add_argument("-n", "--name", dest="cluster_name", help="Django-Q2 cluster name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Returns when the cluster has stopped."""
        if options["cluster_name"]:
            os.environ["Q_CLUSTER_NAME"] = options["cluster_name"]
        from queueing.worker.supervisor import (
            Supervisor,
        )  # after the name is set: Django-Q2 reads it at import

        Supervisor().run()
