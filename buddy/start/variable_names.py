"""Names of environment variables that are no settings: misspelt ones, and values that end in a comment."""

import os
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from buddy.settings.environment import ENV_FILE, env
from queueing.api import environment_variables

#: Read by the scripts of deploy/local, which start before Django.
_OF_MAKE_RUN = {"HOST", "PORT", "LOCAL_MODEL_PATH"}
#: Variables of other programs that may stand in the same file: PostgreSQL, Docker, Python, proxies, the SDK.
_OTHERS = re.compile(
    r"(PG|POSTGRES_|COMPOSE_|DOCKER_|DJANGO_|PYTHON|UV_|PIP_|SSL_|OTEL_|SENTRY_)\w+"
    r"|(HTTPS?|NO|ALL)_PROXY|OPENAI_(ORG|PROJECT)_ID|OPENAI_LOG|TZ|LANG|LC_\w+|PATH|HOME|USER|NO_COLOR|TMPDIR",
    re.IGNORECASE,
)
#: How similar a name of the environment, where all programs have variables, must be to one of ours.
_SIMILAR = 0.9


def known_names() -> set[str]:
    """Return the names of all variables that change anything."""
    return {*env.variables, *environment_variables(), *_OF_MAKE_RUN}


def unknown_names() -> Iterator[tuple[str, str, str]]:
    """Yield (name, place, similar name or an empty text) of each variable that was meant as a setting.

    All names in `.env` are meant as settings. Of the environment only those similar to a setting are.
    """
    known = known_names()
    for name in ENV_FILE.values:
        if name not in known and not _OTHERS.fullmatch(name):
            yield name, ".env", similar_name(name, known, 0.6)
    for name in sorted(set(os.environ) - set(ENV_FILE.values) - known):
        if not _OTHERS.fullmatch(name) and (similar := similar_name(name, known, _SIMILAR)):
            yield name, "the environment", similar


def similar_name(name: str, known: Iterable[str], similarity: float) -> str:
    """Return the known name that is most like `name`, or an empty text."""
    return next(iter(get_close_matches(name.upper(), known, n=1, cutoff=similarity)), "")


def values_with_comments() -> list[str]:
    """Return the names of our variables whose value ends in what looks like a comment.

    In `.env` a comment may follow a value. Docker and systemd, which read such files too, keep it.
    """
    names = sorted(known_names() & set(os.environ) - set(ENV_FILE.values))
    return [name for name in names if re.search(r"\s#(\s|$)", os.environ[name])]
