"""Steps of a visitor on the account pages and in the chat, over HTTP."""

from typing import Any

from tests.chat.browser import Browser

PASSWORD = "long-and-own-4711"


async def submit_form(alice: Browser, path: str, follow: bool = False, **fields: Any) -> Any:
    """Submit a form of the account pages as the page does, with the CSRF token."""
    if "csrftoken" not in alice.client.cookies:
        await alice.client.get("/account/sign-in/")
    token = alice.client.cookies["csrftoken"].value
    return await alice.client.post(f"/account/{path}", fields | {"csrfmiddlewaretoken": token}, follow=follow)


async def sign_up(alice: Browser, name: str = "alice", **more: Any) -> Any:
    return await submit_form(alice, "sign-up/", username=name, password1=PASSWORD, password2=PASSWORD, **more)


async def sign_in(alice: Browser, name: str = "alice", password: str = PASSWORD, **more: Any) -> Any:
    return await submit_form(alice, "sign-in/", username=name, password=password, **more)


async def send_message(alice: Browser, text: str = "Where to?") -> dict[str, Any]:
    """Send a message to the travel companion; return the API's response."""
    if "csrftoken" not in alice.client.cookies:
        await alice.client.get("/")
    return (await alice.call("post", "/api/travel", {"message": text})).json()


async def thread_titles(alice: Browser) -> list[str]:
    return [t["title"] for t in (await alice.client.get("/api/threads")).json()["threads"]]
