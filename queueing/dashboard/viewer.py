"""What somebody looks at, and what they may see of it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from queueing.conf import get_conf

from .plotting import SPANS


class View(NamedTuple):
    """Those for whom all of this is the same are shown the same."""

    sees: bool
    """Jobs, failures and what operators did; without it only counts."""
    operates: bool
    """May act."""
    reads: bool
    """Sees what jobs are about."""
    queue: str = ""
    """The chosen queue; empty for all of them."""
    span: str = "1h"
    """A key of SPANS."""

    @classmethod
    def of(cls, user: Any, asked: Mapping[str, Any]) -> "View":
        """What `user` (of the staff) may see of what is `asked`. Blocks: permissions are in the database."""
        operates = user.has_perm("queueing.operate_queue")
        sees = operates or user.has_perm("queueing.view_job")
        return cls(sees, operates, user.has_perm("queueing.view_contents")).at(asked)

    def at(self, asked: Mapping[str, Any]) -> "View":
        """The same eyes elsewhere. Queues and spans there are not become all queues, and an hour."""
        queue, span = asked.get("queue"), asked.get("span")
        return self._replace(
            queue=queue if isinstance(queue, str) and queue in get_conf().queues else "",
            span=span if isinstance(span, str) and span in SPANS else "1h",
        )

    def with_eyes_of(self, other: "View") -> "View":
        """The same place seen with what `other` may see."""
        return other._replace(queue=self.queue, span=self.span)


def is_staff(user: Any) -> bool:
    """Whether `user` (perhaps nobody) may see the page at all."""
    return bool(user and user.is_active and user.is_staff)
