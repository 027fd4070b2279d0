"""Steps of a visitor on the account pages and in the chat, over HTTP."""

import re
from typing import Any

from tests.chat.browser import Browser
from tests.support.mail import outbox

PASSWORD = "long-and-own-4711"


async def submit_form(alice: Browser, path: str, follow: bool = False, **fields: Any) -> Any:
    """Submit a form of the account pages as the page does, with the CSRF token."""
    if "csrftoken" not in alice.client.cookies:
        await alice.client.get("/account/sign-in/")
    token = alice.client.cookies["csrftoken"].value
    return await alice.client.post(f"/account/{path}", fields | {"csrfmiddlewaretoken": token}, follow=follow)


async def sign_up(alice: Browser, name: str = "alice", **more: Any) -> Any:
    return await submit_form(alice, "sign-up/", username=name, password1=PASSWORD, password2=PASSWORD, **more)


async def enter_address(alice: Browser, email: str, **more: Any) -> Any:
    """Sign up with an address as far as the page that asks for the code."""
    fields = {"email": email, "password1": PASSWORD, "password2": PASSWORD}
    return await submit_form(alice, "sign-up/", **fields | more)


def code_in(message: Any) -> str:
    """Return the code in an e-mail; empty without one."""
    found = re.search(r"(?m)^([A-Z]{4}-[A-Z]{4})$", message.body)
    return found[1] if found else ""


async def sign_up_with_address(alice: Browser, email: str = "alice@example.org", **more: Any) -> Any:
    """Sign up with an address, and enter the code from the e-mail."""
    await enter_address(alice, email, **more)
    return await submit_form(alice, "sign-up/code/", code=code_in((await outbox())[-1]))


async def sign_in(alice: Browser, name: str = "alice", password: str = PASSWORD, **more: Any) -> Any:
    return await submit_form(alice, "sign-in/", login=name, password=password, **more)


async def send_message(alice: Browser, text: str = "Where to?") -> dict[str, Any]:
    """Send a message to the travel companion; return the API's response."""
    if "csrftoken" not in alice.client.cookies:
        await alice.client.get("/")
    return (await alice.call("post", "/api/travel", {"message": text})).json()


async def thread_titles(alice: Browser) -> list[str]:
    return [t["title"] for t in (await alice.client.get("/api/threads")).json()["threads"]]
