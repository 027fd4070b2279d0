"""Django-Q2's broker: what `async_task()` and schedules put their packages into.

A package waits in the queue `django-q` beside our own, under the same leases, so that a killed
worker's task runs again. Our workers claim for themselves, so Django-Q2's pusher, and with it
`dequeue`, is never used. Packages live in Redis alone: unlike jobs they do not survive its loss.
"""

from typing import Any

from django_q.brokers import Broker

from queueing.conf import DJANGO_Q_QUEUE, get_queue
from queueing.ids import new_id
from queueing.schedule import redis_client, scripts


class RedisBroker(Broker):
    """`Q_CLUSTER["broker_class"]`."""

    def enqueue(self, task: str) -> str:
        """Put a signed package in line; its id."""
        task_id = new_id().hex
        redis_client.client().hset(scripts.key("packages"), task_id, task)
        redis_client.run(
            scripts.submit(
                DJANGO_Q_QUEUE, [scripts.ScheduleEntry(task_id, "", get_queue(DJANGO_Q_QUEUE).priority)]
            )
        )
        return task_id

    def queue_size(self) -> int:
        """Tasks in line."""
        return redis_client.run(scripts.counts(DJANGO_Q_QUEUE)).waiting

    def lock_size(self) -> int:
        """Tasks being run."""
        return redis_client.run(scripts.counts(DJANGO_Q_QUEUE)).active

    def delete(self, task_id: str) -> None:
        """Forget one task."""
        redis_client.run(scripts.remove(DJANGO_Q_QUEUE, [task_id]))
        redis_client.client().hdel(scripts.key("packages"), task_id)

    def acknowledge(self, task_id: str) -> None:
        """The worker that claimed it does this itself; see tasks.py."""

    def fail(self, task_id: str) -> None:
        """Failures are saved by Django-Q2 and not repeated."""

    def purge_queue(self) -> None:
        """Forget every task."""
        for task_id in redis_client.client().hkeys(scripts.key("packages")):
            self.delete(task_id)

    def delete_queue(self) -> None:
        """Forget every task."""
        self.purge_queue()

    def ping(self) -> bool:
        """Whether Redis answers."""
        try:
            return bool(redis_client.client().ping())
        except redis_client.Unavailable:
            return False

    def info(self) -> str:
        """What Django-Q2's monitor shows."""
        return "Buddy's queue on Redis"

    @staticmethod
    def get_connection(list_key: str | None = None) -> Any:
        """Connections are redis.py's, one for each process."""
        return None
