"""Who may call what: one row for each address and method, and one for each model in the admin.

A new address, message or model needs a row here. Without one `test_table.py` fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from queueing.control.operator_action import OPERATE
from queueing.dashboard.forms import OFFERED
from tests import speech

from .actors import Actor


@dataclass(frozen=True, kw_only=True)
class Row:
    """Who may call a route, and what an attacker sends there. `{names}` are ids of the victim."""

    body: Mapping[str, Any] = field(default_factory=dict)
    """The JSON of the request."""
    form: Mapping[str, Any] = field(default_factory=dict)
    """The fields of a form, and the name of a file in `FILES`."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """The victim's id for a parameter of the address, where it is not the one with the parameter's name."""
    ends_session: bool = False
    """Whether the actor's session ends with this call."""

    def may(self, actor: Actor) -> bool:
        """Return whether the actor may call the route with objects of its own."""
        raise NotImplementedError

    @property
    def names_objects(self) -> bool:
        """Return whether the request names something of the victim."""
        return "_id}" in f"{self.body}{self.form}"


class Anyone(Row):
    """A route for everybody, which tells nothing of a person."""

    def may(self, actor: Actor) -> bool:
        return True


class NoView(Row):
    """No view: the method or the address does not exist."""

    def may(self, actor: Actor) -> bool:
        return False


@dataclass(frozen=True, kw_only=True)
class Owner(Row):
    """A route of the API, for the caller's own objects. A token needs the scope."""

    scope: str = "read"

    def may(self, actor: Actor) -> bool:
        return not actor.has_invalid_token and (actor.scopes is None or self.scope in actor.scopes)


class OwnPage(Row):
    """A page for the caller's own account or visit. Tokens mean nothing here."""

    def may(self, actor: Actor) -> bool:
        return True


class Account(Row):
    """A page for users who are signed in."""

    def may(self, actor: Actor) -> bool:
        return actor.is_browser and actor.user is not None


@dataclass(frozen=True, kw_only=True)
class Staff(Row):
    """A page for staff, with a permission if it names one."""

    permission: str = ""

    def may(self, actor: Actor) -> bool:
        has_permission = not self.permission or self.permission in actor.permissions
        return actor.is_browser and (actor.is_superuser or (actor.is_staff and has_permission))


#: Files of forms. Each call needs a new one.
FILES = {
    "recording": lambda: SimpleUploadedFile("a.webm", speech.WEBM.read_bytes()),
    "document": lambda: SimpleUploadedFile("a.md", b"# Ships\n\nMore ships each year."),
}

_GET_ONLY = {"POST": NoView()}
_ASK = {"POST": Owner(scope="chat", body={"message": "Where to?", "threadId": "{thread_id}"})}
_REPLY = {"message_id": "reply_id"}
_OPERATE = {"queue": "openai-chat", "confirm": "openai-chat", "job_id": "{failed_job}", "note": "mine"}

ROUTES: dict[str, dict[str, Row]] = {
    # --- the pages of everybody ---
    "": {"GET": OwnPage(), **_GET_ONLY},
    r"^t/(?P<thread_id>[0-9a-f]{32})/?$": {"GET": OwnPage(), **_GET_ONLY},
    "care": {"GET": Anyone(), **_GET_ONLY},
    "favicon.ico": {"GET": Anyone(), "POST": Anyone()},
    "healthz": {"GET": Anyone(), "POST": Anyone()},
    "readyz": {"GET": Anyone(), "POST": Anyone()},
    "metrics": {"GET": Staff(), "POST": Staff()},
    # --- the API ---
    "api/": {"GET": NoView(), "POST": NoView()},
    "^api/": {"GET": NoView(), "POST": NoView()},
    "api/openapi.json": {"GET": Anyone(), "POST": Anyone()},
    "api/docs": {"GET": Anyone(), "POST": Anyone()},
    "api/companions": {"GET": Anyone()},
    "api/voice": {"GET": Anyone()},
    "api/care": {"GET": Anyone()},
    "api/queue/status": {"GET": Anyone()},
    "api/usage": {"GET": Owner()},
    "api/connection": {
        "GET": Owner(),
        "POST": Owner(body={"messages": [{"type": "job:watch", "jobId": "0" * 32}]}),
    },
    "api/corporate": _ASK,
    "api/travel": _ASK,
    "api/emotional": _ASK,
    "api/culture": _ASK,
    "api/jobs/<job_id>": {"GET": Owner(), "DELETE": Owner(scope="chat")},
    "api/jobs/<job_id>/retry": {"POST": Owner(scope="chat", ids={"job_id": "failed_job"})},
    "api/jobs/<job_id>/events": {"GET": Owner(ids={"job_id": "finished_job"})},
    "api/jobs/<job_id>/thoughts": {"GET": Owner(ids={"job_id": "finished_job"})},
    "api/threads": {"GET": Owner()},
    "api/threads/<thread_id>": {
        "GET": Owner(),
        "PATCH": Owner(scope="chat", body={"title": "mine"}),
        "DELETE": Owner(scope="chat"),
    },
    "api/threads/<thread_id>/transcript.md": {"GET": Owner()},
    "api/threads/<thread_id>/leaf": {"PUT": Owner(scope="chat", body={"messageId": "{reply_id}"})},
    "api/messages/<message_id>": {
        "PATCH": Owner(scope="chat", body={"content": "mine"}),
        "DELETE": Owner(scope="chat"),
    },
    "api/messages/<reply_id>/regenerate": {"POST": Owner(scope="chat")},
    "api/messages/<message_id>/feedback": {
        "PUT": Owner(scope="chat", body={"value": "down"}, ids=_REPLY),
        "DELETE": Owner(scope="chat", ids=_REPLY),
    },
    "api/audio": {
        "POST": Owner(
            scope="chat",
            form={"companion": "travel", "threadId": "{thread_id}", "send": "true", "file": "recording"},
        )
    },
    "api/audio/uploads": {"POST": Owner(scope="chat", form={"file": "recording"})},
    "api/analysis": {
        "POST": Owner(
            scope="chat", form={"companion": "travel", "threadId": "{thread_id}", "file": "document"}
        )
    },
    "api/analysis/uploads": {"POST": Owner(scope="chat", form={"file": "document"})},
    "api/analysis/<job_id>/report.md": {"GET": Owner(ids={"job_id": "report_job"})},
    "api/analytics/track": {"POST": Owner(scope="analytics", body={"name": "x:probe"})},
    # --- the account ---
    "account/": {"GET": OwnPage(), **_GET_ONLY},
    "account/sign-in/": {"GET": OwnPage(), "POST": OwnPage()},
    "account/oidc/<provider_id>/login/": {"GET": NoView(), "POST": NoView()},  # no provider is set
    "account/oidc/<provider_id>/login/callback/": {"GET": NoView(), "POST": NoView()},
    "account/sign-up/": {"GET": OwnPage(), "POST": OwnPage()},
    "account/sign-up/code/": {"GET": OwnPage(), "POST": OwnPage()},
    "account/sign-out/": {"GET": OwnPage(), "POST": OwnPage(ends_session=True)},
    "account/inactive/": {"GET": Anyone(), **_GET_ONLY},
    "account/confirm/": {"GET": Account(), "POST": Account()},
    "account/password/": {"GET": Account(), "POST": Account()},
    "account/password/set/": {"GET": Account(), "POST": Account()},
    "account/reset/": {"GET": OwnPage(), "POST": OwnPage()},
    "account/reset/sent/": {"GET": OwnPage(), **_GET_ONLY},
    "account/reset/done/": {"GET": OwnPage(), **_GET_ONLY},
    r"account/^reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": {"GET": OwnPage(), "POST": OwnPage()},
    "account/email/": {"GET": Account(), "POST": Account()},
    "account/email/code/": {"GET": Account(), "POST": Account()},
    "account/second-factor/": {"GET": Account(), **_GET_ONLY},
    "account/second-factor/code/": {"GET": Account(), "POST": Account()},
    "account/second-factor/confirm/": {"GET": Account(), "POST": Account()},
    "account/second-factor/app/": {"GET": Account(), "POST": Account()},
    "account/second-factor/app/remove/": {"GET": Account(), "POST": Account()},
    "account/sign-in/passkey/": {"GET": Account(), "POST": Account()},  # leads others to the sign-in page
    "account/second-factor/passkeys/new/": {"GET": Account(), "POST": Account()},
    "account/second-factor/passkeys/confirm/": {"GET": Account(), "POST": Account()},
    "account/second-factor/passkeys/<int:pk>/remove/": {"GET": Account(), "POST": Account()},
    "account/second-factor/recovery-codes/": {"GET": Account(), **_GET_ONLY},
    "account/second-factor/recovery-codes/new/": {"GET": Account(), "POST": Account()},
    "account/tokens/": {"GET": NoView(), "POST": Account()},
    "account/tokens/<int:token_id>/revoke/": {"GET": NoView(), "POST": Account()},
    "account/sessions/": {"GET": Account(), **_GET_ONLY},
    "account/sessions/end-others/": {"GET": NoView(), "POST": Account()},
    "account/sessions/<int:session_id>/end/": {"GET": NoView(), "POST": Account()},
    "account/export/": {"GET": OwnPage(), **_GET_ONLY},
    "account/erase/": {"GET": OwnPage(), "POST": OwnPage()},
    # --- staff ---
    "admin/analytics/": {"GET": Staff(permission="analytics.view_event"), **_GET_ONLY},
    "admin/analytics/events.csv": {"GET": Staff(permission="analytics.view_event"), **_GET_ONLY},
    "admin/^queue/?$": {"GET": Staff(), **_GET_ONLY},
    "admin/queue/confirm/<slug:name>": {"GET": Staff(permission=OPERATE), **_GET_ONLY},
    "admin/queue/<slug:name>": {"GET": NoView(), "POST": Staff(permission=OPERATE, body=_OPERATE)},
    "admin/": {"GET": Staff(), "POST": Staff()},
    "admin/login/": {"GET": Staff(), "POST": Staff()},  # others are sent to the page of the site
    "admin/logout/": {"GET": OwnPage(), "POST": OwnPage(ends_session=True)},
    "admin/password_change/": {"GET": Staff(), "POST": Staff()},
    "admin/password_change/done/": {"GET": Staff(), "POST": Staff()},
    "admin/autocomplete/": {"GET": NoView(), "POST": NoView()},
    "admin/jsi18n/": {"GET": Staff(), "POST": Staff()},
    "admin/r/<path:content_type_id>/<path:object_id>/": {"GET": NoView(), "POST": NoView()},
    "admin/^<app_label>/$": {
        "GET": Staff(permission="chat.view_thread"),
        "POST": Staff(permission="chat.view_thread"),
    },
    r"admin/(?P<url>.*)$": {"GET": NoView(), "POST": NoView()},
}

#: What staff may do with the rows of each model in the admin, with the permission of that name. Superusers
#: may also change groups and members of staff.
MODELS: dict[str, str] = {
    "auth.group": "view",
    "account.emailaddress": "view",
    "auth.user": "add view change delete",
    "accounts.block": "add view",
    "accounts.invitation": "add view delete",
    "django_q.schedule": "add view change delete",
    "django_q.success": "view delete",
    "django_q.failure": "view delete",
    "queueing.auditentry": "view",
    "queueing.limitoverride": "view",
    "queueing.ownerweight": "view",  # operators (`queueing.operate_queue`) change them
    "queueing.pause": "view",
    "queueing.recurringjob": "view delete",  # who adds or changes one also needs `view_contents`
    "queueing.failurenote": "view",
    "queueing.job": "view",
    "chat.thread": "view delete",
    "chat.message": "view delete",
    "analytics.event": "view",
    "analytics.feedback": "view delete",
    "care.carecount": "view delete",
    "usage.modelcall": "view delete",
    "usage.dailyusage": "view delete",
}

#: Values for parameters that name no object: every value is tried.
VALUES: dict[str, list[Any]] = {
    "name": [*OFFERED, "nonsense"],
    "app_label": ["chat"],
    "url": ["nothing"],
    "provider_id": ["sso", "nonsense"],
    "uidb36": ["1"],
    "key": ["set-password", "c0ffee-0123456789"],
    "content_type_id": [1],
    "object_id": [1],
}
