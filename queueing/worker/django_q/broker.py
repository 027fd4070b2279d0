"""Django-Q2's broker: where `async_task()` and schedules put their packages.

A package waits in the queue `django-q` beside our own, under the same leases, so that a killed worker's
task runs again. Our workers claim for themselves: Django-Q2's pusher, and with it `dequeue`, is never
used. Packages are in Redis only: unlike jobs they are lost with it.
"""

from contextlib import suppress
from typing import Any, cast

from django_q.brokers import Broker

from queueing.conf import DJANGO_Q_QUEUE, get_queue
from queueing.schedule import redis_client, scripts
from queueing.values.ids import new_id


class RedisBroker(Broker):
    """The broker that Django-Q2 uses (`DJANGO_Q_BROKER`)."""

    def enqueue(self, task: str) -> str:
        """Put a signed package in line and return its id."""
        task_id = new_id().hex
        redis_client.client().hset(scripts.key("packages"), task_id, task)
        redis_client.run(
            scripts.submit(
                DJANGO_Q_QUEUE, [scripts.ScheduleEntry(task_id, "", get_queue(DJANGO_Q_QUEUE).priority)]
            )
        )
        return task_id

    def queue_size(self) -> int:
        """Return the number of tasks in line."""
        return redis_client.run(scripts.counts(DJANGO_Q_QUEUE)).waiting

    def lock_size(self) -> int:
        """Return the number of running tasks."""
        return redis_client.run(scripts.counts(DJANGO_Q_QUEUE)).active

    def delete(self, task_id: str) -> None:
        """Delete one task."""
        redis_client.run(scripts.remove(DJANGO_Q_QUEUE, [task_id]))
        for name in ("packages", "suspects"):
            redis_client.client().hdel(scripts.key(name), task_id)

    def acknowledge(self, task_id: str) -> None:
        """Do nothing: the worker that claimed the task does this."""

    def fail(self, task_id: str) -> None:
        """Do nothing: Django-Q2 saves failures, and they are not tried again."""

    def purge_queue(self) -> None:
        """Delete all tasks."""
        for task_id in redis_client.client().hkeys(scripts.key("packages")):
            self.delete(task_id)

    def delete_queue(self) -> None:
        """Delete all tasks."""
        self.purge_queue()

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Store the status of a cluster. Not in Django's cache, which may wait long for its server.

        While Redis is unavailable there is none: Django-Q2 would log that every two seconds.
        """
        with suppress(*redis_client.Unavailable):
            redis_client.client().set(scripts.key(key), value, ex=timeout)

    def get_stat(self, key: str) -> str | None:
        """Return the status of a cluster, if it is running."""
        return cast(str | None, redis_client.client().get(scripts.key(key)))

    def get_stats(self, pattern: str) -> list[str]:
        """Return the statuses of all running clusters."""
        client = redis_client.client()
        found = [client.get(key) for key in client.scan_iter(scripts.key(pattern), count=1000)]
        return [status for status in found if status]

    def ping(self) -> bool:
        """Return whether Redis answers."""
        try:
            return bool(redis_client.client().ping())
        except redis_client.Unavailable:
            return False

    def info(self) -> str:
        """Return the broker's name for Django-Q2's monitor."""
        return "queueing on Redis"

    @staticmethod
    def get_connection(list_key: str | None = None) -> Any:
        """Return None: the connection is `redis_client`'s."""
        return None
