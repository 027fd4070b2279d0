"""System checks of CARE_CONTACT and of the age of the help lines."""

from datetime import date
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register

from .card import contact
from .help_lines import countries

#: Months after which a help line must be verified again.
MAX_AGE = 12


@register(Tags.compatibility)
def check_care(**_: Any) -> list[CheckMessage]:
    """Report an invalid CARE_CONTACT, and help lines that were verified too long ago."""
    found: list[CheckMessage] = []
    try:
        contact()
    except ValueError as exc:
        found.append(
            Error(
                f"CARE_CONTACT does not have the form `Name <address>`: {exc}.",
                hint="Example: `Student counselling <mailto:care@example.org>`. Use https:, mailto: or tel:.",
                id="care.E001",
            )
        )
    today = date.today()
    old = [c.code for c in countries().values() if _age(c.as_of, today) > MAX_AGE]
    if old:
        found.append(
            Warning(
                f"The help lines of {', '.join(old)} were last verified more than a year ago.",
                hint="Verify the numbers, correct chat/care/help_lines.toml, and set `as_of` to this month.",
                id="care.W001",
            )
        )
    return found


def _age(as_of: str, today: date) -> int:
    """Return the months since `as_of`."""
    year, month = map(int, as_of.split("-"))
    return (today.year - year) * 12 + today.month - month
