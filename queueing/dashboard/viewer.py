"""What a member of staff has selected on the dashboard, and what the permissions allow."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

from django.contrib import admin

from queueing.conf import get_conf
from queueing.control.operator_action import OPERATE

from .forms import OFFERED
from .plotting import SPANS


class Viewer(NamedTuple):
    """The permissions and the selection of a viewer. Equal viewers are sent the same HTML."""

    can_view_jobs: bool
    """Jobs, failures and the audit log; without it only counts."""
    allowed: frozenset[str]
    """Names of the actions that the viewer may perform."""
    can_view_contents: bool
    """Error messages and labels of progress."""
    queue: str = ""
    """The selected queue; empty for all of them."""
    span: str = "1h"
    """A key of SPANS."""

    @classmethod
    def of(cls, user: Any, query: Mapping[str, Any]) -> "Viewer":
        """Return a member of staff with the selection of `query`. Blocks: permissions are in the database."""
        can_view_jobs = user.has_perm(OPERATE) or user.has_perm("queueing.view_job")
        allowed = frozenset(name for name, action in OFFERED.items() if action.may(user))
        viewer = cls(can_view_jobs, allowed, user.has_perm("queueing.view_contents"))
        return viewer.with_selection(query)

    def with_selection(self, query: Mapping[str, Any]) -> "Viewer":
        """Return the same permissions with another selection.

        Unknown queues become '', unknown spans '1h'.
        """
        queue, span = query.get("queue"), query.get("span")
        return self._replace(
            queue=queue if isinstance(queue, str) and queue in get_conf().queues else "",
            span=span if isinstance(span, str) and span in SPANS else "1h",
        )

    def with_permissions_of(self, other: "Viewer") -> "Viewer":
        """Return the same selection with the permissions of `other`."""
        return other._replace(queue=self.queue, span=self.span)


def may_open(user: Any, session: Any) -> bool:
    """Return whether a user, or an anonymous visitor, may open the dashboard: as the admin decides. Blocks.

    A project that asks more of its staff than `is_staff` has an `AdminSite` with its own `has_permission`.
    """
    request: Any = SimpleNamespace(user=user, session=session)
    return bool(user) and admin.site.has_permission(request)


def proof_page(request: Any) -> str:
    """Return the page on which the user proves the identity; empty if the project needs no proof now. Blocks.

    A project that asks for one has an `AdminSite` with a method of this name.
    """
    ask = getattr(admin.site, "proof_page", None)
    return ask(request) if ask else ""
