"""The filter by companion of admin lists."""

from collections.abc import Iterable

from queueing.api.admin import FixedChoicesFilter

from .registry import COMPANIONS


class CompanionFilter(FixedChoicesFilter):
    """A filter with the existing companions."""

    title = parameter_name = "companion"

    def options(self) -> Iterable[tuple[str, str]]:
        return ((one.id, one.name) for one in COMPANIONS.values())
