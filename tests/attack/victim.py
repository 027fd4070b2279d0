"""The victim: an owner with something in every table, where each text has a mark that no answer may show."""

import io
import json
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from chat.accounts.access import tokens
from chat.accounts.access.owners import owner_of_session
from chat.accounts.access.sessions.store import stored_key
from chat.accounts.models import UserSession
from chat.analytics.models import Feedback
from chat.conversations.messages import NewMessage
from chat.intake import submit_message
from chat.models import Message, Role, Thread
from chat.replies import thoughts
from chat.uploads import storage
from queueing.api import Job, State, redis
from queueing.models import FailedAttempt, LogLine
from tests.support import authenticator

#: Part of every text of the victim.
MARK = "zqmark"
PASSWORD = "of-the-victim-4711"


@dataclass
class Victim:
    """A user or a visitor, and the ids of what belongs to it."""

    owner: str
    user: User | None = None
    ids: dict[str, Any] = field(default_factory=dict)
    """By the names that parameters of addresses, forms and messages have."""
    needles: list[str] = field(default_factory=list)
    """What shows that a row is the victim's: its owner key, its marks and its ids."""

    def rows(self) -> list[str]:
        """Return the victim's rows in all tables, and its keys in Redis."""
        return [row for row in everything() if any(needle in row for needle in self.needles)]


def everything() -> list[str]:
    """Return all rows of all tables and the keys of the engine in Redis, but for sessions and their copies.

    The last use of a token, the last sign-in and counts of tries may change.
    """
    found = []
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names()) - {"django_session"}):
            cursor.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in cursor.description]
            skipped = {
                names.index(name)
                for name in ("last_used_at", "last_used_from", "last_login", "last_seen_at")
                if name in names
            }
            found += [
                f"{table} {[value for n, value in enumerate(row) if n not in skipped]}"
                for row in cursor.fetchall()
            ]
    client = redis.client()
    ignored = (":tries", ":app:session:")
    keys = sorted(key for key in client.scan_iter("{buddy}*") if not any(part in key for part in ignored))
    return found + [f"{key} {client.type(key)}" for key in keys]


def stored_session(key: str | None = None) -> Any:
    """Return a stored session: that with `key`, or a new one of a visitor."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    if key is None:
        session["visitor"] = True
        session.create()
    return session


def user_victim() -> Victim:
    """Return a user with conversations, jobs, files, a token and a session."""
    user = User.objects.create_user(f"{MARK}-name", f"{MARK}@example.org", PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    token, _ = tokens.issue(user, name=f"{MARK} token", scopes=["read", "chat"])
    session = stored_session()
    row = UserSession.objects.create(user=user, session_key=stored_key(session.session_key))
    question = {"publicKey": {"user": {"id": "MQ"}, "challenge": "MTIz"}}
    data = {
        "name": f"{MARK} passkey",
        "credential": json.loads(authenticator.Authenticator().create(question)),
    }
    passkey = Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data)
    victim = Victim(f"u:{user.pk}", user, {"token_id": token.pk, "session_id": row.pk, "pk": passkey.pk})
    victim.needles = [f"'u:{user.pk}'", MARK]
    plant(victim)
    return victim


def visitor_victim() -> Victim:
    """Return a visitor with conversations, jobs and files."""
    session = stored_session()
    victim = Victim(
        owner_of_session(session),
        None,
        {"token_id": 0, "session_id": 0, "pk": 0, "session_key": session.session_key},
    )
    victim.needles = [victim.owner, MARK]
    plant(victim)
    return victim


def plant(victim: Victim) -> None:
    """Give the victim one of everything, and point its ids at these."""
    waiting, finished, failed, document = (_ask(victim, name) for name in _NAMES)
    _finish(finished)
    Job.objects.filter(pk=failed.pk).update(
        state=State.FAILED, error=f"{MARK} error", error_code="timeout", finished_at=timezone.now()
    )
    _finish(document)
    document.messages[Role.USER].attachment = {"kind": "document", "name": f"{MARK}.md"}
    document.messages[Role.USER].save()
    upload = storage.store(owner=victim.owner, name=f"{MARK}.webm", stream=io.BytesIO(MARK.encode()))
    victim.ids |= {
        "thread_id": finished.thread.pk.hex,
        "message_id": waiting.messages[Role.USER].pk.hex,
        "reply_id": finished.messages[Role.ASSISTANT].pk.hex,
        "job_id": waiting.pk.hex,
        "finished_job": finished.pk.hex,
        "failed_job": failed.pk.hex,
        "report_job": document.pk.hex,
        "upload_id": upload.pk.hex,
    }
    victim.needles += [value for value in victim.ids.values() if isinstance(value, str)]


_NAMES = ("waiting", "finished", "failed", "document")


class _Asked:
    """A question with its job."""

    def __init__(self, victim: Victim, name: str) -> None:
        accepted = submit_message(
            NewMessage(
                owner=victim.owner,
                companion="travel",
                text=f"{MARK} {name} question",
                request_id=f"r-{name}-{Job.objects.count()}",
            )
        )
        self.pk = accepted.submission.job.pk
        self.messages = {message.role: message for message in Message.objects.filter(job_id=self.pk)}
        self.thread = self.messages[Role.USER].thread


def _ask(victim: Victim, name: str) -> _Asked:
    asked = _Asked(victim, name)
    Thread.objects.filter(pk=asked.thread.pk).update(title=f"{MARK} title", summary=f"{MARK} summary")
    job = Job.objects.get(pk=asked.pk)
    job.args |= {"mark": f"{MARK} argument"}
    job.save()
    return asked


def _finish(asked: _Asked) -> None:
    now = timezone.now()
    Job.objects.filter(pk=asked.pk).update(
        state=State.COMPLETED, result={"response": f"{MARK} result"}, text=f"{MARK} text", finished_at=now
    )
    Message.objects.filter(job_id=asked.pk, role=Role.ASSISTANT).update(content=f"{MARK} answer")
    LogLine.objects.create(job_id=asked.pk, at=now, line=f"{MARK} line")
    FailedAttempt.objects.create(
        job_id=asked.pk,
        number=1,
        outcome="failed",
        started_at=now,
        ended_at=now,
        worker="w",
        error=f"{MARK} error",
        traceback=f"{MARK} traceback",
    )
    reply = asked.messages[Role.ASSISTANT]
    Feedback.objects.create(
        message=reply, owner=asked.thread.owner, companion="travel", up=True, comment=f"{MARK} comment"
    )
    redis.client().set(thoughts._key(asked.pk.hex), f"{MARK} thoughts")
