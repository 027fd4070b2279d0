"""Help lines by country.

The country of a visitor is the chosen one or that of the browser's language. It is never derived from the
address.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

#: The country of languages that are spoken mainly in one country. English, Spanish, Portuguese and French are
#: not here: without a region their speakers get the directory and the list of countries.
_MAIN_COUNTRY = {
    "de": "DE",
    "it": "IT",
    "nl": "NL",
    "ja": "JP",
    "ko": "KR",
    "sv": "SE",
    "nb": "NO",
    "no": "NO",
}
_MAIN_COUNTRY |= {"nn": "NO", "da": "DK", "fi": "FI", "pl": "PL"}
#: The emergency number that works in most countries, also from mobile phones without credit.
_EMERGENCY = "112"


@dataclass(frozen=True)
class Country:
    """The emergency number and help lines of a country."""

    code: str
    name: str
    emergency: str
    as_of: str
    """The month (`YYYY-MM`) in which the entry was last verified."""
    lines: tuple[dict[str, Any], ...]


#: For visitors whose country is unknown.
UNKNOWN = Country("", "", _EMERGENCY, "", ())


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "help_lines.toml").read_text())


def directory() -> str:
    """Return the address of an international directory of help lines."""
    return str(_data()["directory"])


@cache
def countries() -> dict[str, Country]:
    """Return all countries by ISO 3166-1 code."""
    return {
        code: Country(code, entry["name"], entry["emergency"], entry["as_of"], tuple(entry["lines"]))
        for code, entry in _data().items()
        if isinstance(entry, dict)
    }


def country_of(accept_language: str, chosen: str = "") -> Country:
    """Return the chosen country, else that of the first language of `accept_language`, else `UNKNOWN`."""
    if found := countries().get(chosen.upper()):
        return found
    first = re.match(r"\s*([a-z]{2,3})(?:-[a-z]{4})?(?:-([a-z]{2}))?(?![a-z0-9])", accept_language, re.I)
    if first is None:
        return UNKNOWN
    language, region = first[1].lower(), (first[2] or "").upper()
    return countries().get(region or _MAIN_COUNTRY.get(language, ""), UNKNOWN)
