"""The actors: everybody who may call the site, with a browser or with an API token."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import AsyncClient, Client
from django.utils import timezone

from chat.accounts.access import tokens
from chat.accounts.access.owners import owner_of_session
from chat.accounts.personal_data.erasing import erase
from tests.support.proof import prove

from .victim import stored_session

PASSWORD = "of-the-actor-4711"


@dataclass
class Actor:
    """A client, and what it may rightly claim."""

    client: AsyncClient = field(default_factory=AsyncClient)
    headers: dict[str, str] = field(default_factory=dict)
    user: User | None = None
    scopes: frozenset[str] | None = None
    """Those of a valid token; None for a browser."""
    has_invalid_token: bool = False
    permissions: frozenset[str] = frozenset()
    is_staff: bool = False
    is_superuser: bool = False

    @property
    def is_browser(self) -> bool:
        """Return whether it sends no token."""
        return self.scopes is None and not self.has_invalid_token


def sign_in(user: User) -> AsyncClient:
    """Return a browser in which `user` is signed in."""
    signed_in = Client()
    signed_in.get("/")
    signed_in.force_login(user)
    prove(signed_in)
    client = AsyncClient()
    client.cookies = signed_in.cookies
    return client


def stranger() -> Actor:
    """Return a client without cookies."""
    return Actor()


def visitor() -> Actor:
    """Return a browser with a session and no account."""
    first = Client()
    first.get("/")
    client = AsyncClient()
    client.cookies = first.cookies
    return Actor(client)


def user() -> Actor:
    """Return another user, without rights."""
    one = User.objects.create_user("mallory", "mallory@example.org", PASSWORD)
    return Actor(sign_in(one), user=one)


def staff(*permissions: str) -> Actor:
    """Return a member of staff with these permissions and no others."""
    one = User.objects.create_user("operator", None, PASSWORD, is_staff=True)
    for name in permissions:
        app, _, codename = name.partition(".")
        one.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return Actor(sign_in(one), user=one, is_staff=True, permissions=frozenset(permissions))


def superuser() -> Actor:
    """Return a superuser: it may everything in the admin, and nothing more than others outside."""
    one = User.objects.create_superuser("root", None, PASSWORD)
    return Actor(sign_in(one), user=one, is_staff=True, is_superuser=True)


def _token(*scopes: str, **more: Any) -> tuple[User, dict[str, str]]:
    one = User.objects.create_user("script", None, PASSWORD)
    _, secret = tokens.issue(one, name="A script", scopes=list(scopes), **more)
    return one, {"Authorization": f"Bearer {secret}"}


def token_of(*scopes: str) -> Callable[[], Actor]:
    """Return a maker of programs with a token that has these scopes."""

    def make() -> Actor:
        one, headers = _token(*scopes)
        return Actor(headers=headers, user=one, scopes=frozenset(scopes))

    return make


def expired_token() -> Actor:
    """Return a program whose token expired a second ago."""
    _, headers = _token("read", "chat", "analytics", expires_at=timezone.now() - timedelta(seconds=1))
    return Actor(headers=headers, has_invalid_token=True)


def revoked_token() -> Actor:
    """Return a program whose token was revoked."""
    one, headers = _token("read", "chat", "analytics")
    one.tokens.all().delete()  # type: ignore[attr-defined]
    return Actor(headers=headers, has_invalid_token=True)


def token_of_deactivated_user() -> Actor:
    """Return a program whose user was deactivated."""
    one, headers = _token("read", "chat", "analytics")
    User.objects.filter(pk=one.pk).update(is_active=False)
    return Actor(headers=headers, has_invalid_token=True)


def token_of_erased_user() -> Actor:
    """Return a program whose user was erased."""
    one, headers = _token("read", "chat", "analytics")
    one.delete()
    return Actor(headers=headers, has_invalid_token=True)


def session_of_deactivated_staff() -> Actor:
    """Return the browser of a superuser who was deactivated."""
    one = superuser()
    assert one.user
    User.objects.filter(pk=one.user.pk).update(is_active=False)
    return Actor(one.client)


def session_of_erased_user() -> Actor:
    """Return the browser of a user who was erased."""
    one = superuser()
    assert one.user
    one.user.delete()
    return Actor(one.client)


def session_of_erased_visitor() -> Actor:
    """Return the browser of a visitor whose data were erased."""
    one = visitor()
    erase(owner_of_session(stored_session(one.client.cookies["sessionid"].value)))
    return one


ACTORS: dict[str, Callable[[], Actor]] = {
    make.__name__: make
    for make in (
        stranger, visitor, user, staff, superuser, expired_token, revoked_token, token_of_deactivated_user,
        token_of_erased_user, session_of_deactivated_staff, session_of_erased_user, session_of_erased_visitor,
    )
}  # fmt: skip
ACTORS |= {f"token_{scope}": token_of(scope) for scope in ("read", "chat", "analytics")}
