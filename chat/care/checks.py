"""Is the help that would be shown right and recent?"""

from datetime import date
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register

from .card import contact
from .help_lines import countries

#: Months after which a number should have been looked up again.
OLD = 12


@register(Tags.compatibility)
def check_care(**_: Any) -> list[CheckMessage]:
    """The operator's person can be linked to, and the numbers are not old."""
    found: list[CheckMessage] = []
    try:
        contact()
    except ValueError as exc:
        found.append(
            Error(
                f"CARE_CONTACT is not of the form `Name <address>`: {exc}.",
                hint="For instance `Student counselling <mailto:care@example.org>`; https:, mailto: or tel:.",
                id="care.E001",
            )
        )
    today = date.today()
    old = [c.code for c in countries().values() if _age(c.as_of, today) > OLD]
    if old:
        found.append(
            Warning(
                f"The help lines of {', '.join(old)} were last looked up more than a year ago.",
                hint="Look them up, correct chat/care/lines.toml, and set `as_of` to this month.",
                id="care.W001",
            )
        )
    return found


def _age(as_of: str, today: date) -> int:
    """Months since."""
    year, month = map(int, as_of.split("-"))
    return (today.year - year) * 12 + today.month - month
