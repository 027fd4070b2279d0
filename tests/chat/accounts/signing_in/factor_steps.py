"""Steps of the tests of second factors: set one up, and look at what is for staff."""

from allauth.mfa.totp.internal import auth
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User

from buddy.asgi import application
from tests.chat.accounts.account_client import (
    PASSWORD,
    submit_form,
)
from tests.chat.browser import PAGE, Browser

#: What is for staff, and what it answers to others.
FOR_STAFF = {
    "/admin/": 302,
    "/admin/auth/user/": 302,
    "/admin/queue": 302,
    "/admin/queue/confirm/pause?queue=openai-chat": 403,
    "/admin/analytics/": 302,
    "/metrics": 403,
}


@sync_to_async
def superuser(name: str = "carol") -> User:
    return User.objects.create_superuser(name, password=PASSWORD)


def code_of(secret: str) -> str:
    """Return the code that an app shows now."""
    step = list(auth.yield_hotp_counters_from_time())[1]
    return auth.format_hotp_value(auth.hotp_value(secret, step))


async def set_up(carol: Browser) -> str:
    """Set up an app on the page; return its secret."""
    await carol.client.get("/account/second-factor/app/")
    secret = (await sync_to_async(carol.client.session.load)())[auth.SECRET_SESSION_KEY]
    done = await submit_form(carol, "second-factor/app/", code=code_of(secret))
    assert done["Location"] == "/account/second-factor/recovery-codes/"
    return secret


async def opens_dashboard_socket(carol: Browser) -> bool:
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in carol.client.cookies.items())
    socket = WebsocketCommunicator(application, "/ws/queue", headers=[*PAGE, (b"cookie", cookies.encode())])
    opened, _ = await socket.connect(timeout=10)
    await socket.disconnect()
    return opened


async def answers(carol: Browser) -> dict[str, int]:
    return {path: (await carol.client.get(path)).status_code for path in FOR_STAFF}
