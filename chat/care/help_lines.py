"""Help lines by country, and which country a visitor may be in: by their browser's language or their choice,
never by their address."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

#: Where a language alone says enough. English, Spanish, Portuguese and French are spoken in too many
#: countries: somebody without a region gets the directory and the list of countries.
_HOME = {"de": "DE", "it": "IT", "nl": "NL", "ja": "JP", "ko": "KR", "sv": "SE", "nb": "NO", "no": "NO"}
_HOME |= {"nn": "NO", "da": "DK", "fi": "FI", "pl": "PL"}
#: What answers in most countries, also from mobile phones without credit.
_ANYWHERE = "112"


@dataclass(frozen=True)
class Country:
    """What is known of one country."""

    code: str
    name: str
    emergency: str
    as_of: str
    """`YYYY-MM` in which it was last looked up."""
    lines: tuple[dict[str, Any], ...]


#: For visitors whose country we do not know.
UNKNOWN = Country("", "", _ANYWHERE, "", ())


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "lines.toml").read_text())


def directory() -> str:
    """The address of a directory of help lines of the whole world."""
    return str(_data()["directory"])


@cache
def countries() -> dict[str, Country]:
    """All that we know, by ISO 3166-1 code."""
    return {
        code: Country(code, entry["name"], entry["emergency"], entry["as_of"], tuple(entry["lines"]))
        for code, entry in _data().items()
        if isinstance(entry, dict)
    }


def country_of(accept_language: str, chosen: str = "") -> Country:
    """The country a visitor chose, else that of the language their browser names first, else `UNKNOWN`."""
    if found := countries().get(chosen.upper()):
        return found
    first = re.match(r"\s*([a-z]{2,3})(?:-[a-z]{4})?(?:-([a-z]{2}))?(?![a-z0-9])", accept_language, re.I)
    if first is None:
        return UNKNOWN
    language, region = first[1].lower(), (first[2] or "").upper()
    return countries().get(region or _HOME.get(language, ""), UNKNOWN)
