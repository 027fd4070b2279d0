"""The settings: Django's system checks, which every start runs, and those of a public site."""

from collections.abc import Iterable, Iterator

from django.conf import settings
from django.core import checks

from .findings import OK, PROBLEM, WARNING, Finding


def examine() -> Iterator[Finding]:
    """Yield the messages of the system checks; for a site with https:// also those of `check --deploy`."""
    messages = checks.run_checks()
    if settings.HTTPS:
        messages += checks.run_checks(tags=[checks.Tags.security], include_deployment_checks=True)
    found = list(findings_of(messages))
    yield from found or [Finding(OK, "all system checks pass")]


def findings_of(messages: Iterable[checks.CheckMessage]) -> Iterator[Finding]:
    """Yield a finding for each message; once, if it was given twice."""
    for message in {(m.id, m.msg): m for m in messages if not m.is_silenced()}.values():
        if message.level >= checks.WARNING:
            level = PROBLEM if message.level >= checks.ERROR else WARNING
            yield Finding(level, f"{message.msg} ({message.id})", message.hint or "")
