"""Accepting work."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .models import Job


class Submission(NamedTuple):
    """What `submit` hands back."""

    job: "Job"
    created: bool
    """False when the owner had already submitted this request id: `job` is that earlier job."""


def submit(
    kind: str,
    args: dict[str, Any],
    *,
    owner: str = "",
    request_id: str = "",
    priority: int | None = None,
    delay: float = 0.0,
    meta: dict[str, str] | None = None,
    depends_on: "Sequence[Job]" = (),
) -> Submission:
    raise NotImplementedError
