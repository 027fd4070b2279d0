"""Signing up and in."""

from typing import Any

from tests.chat.tabs import Browser

PASSWORD = "long-and-own-4711"


async def posted(alice: Browser, path: str, follow: bool = False, **fields: Any) -> Any:
    """A form of the account's pages, sent as the page sends it."""
    if "csrftoken" not in alice.client.cookies:
        await alice.client.get("/account/sign-in/")
    token = alice.client.cookies["csrftoken"].value
    return await alice.client.post(f"/account/{path}", fields | {"csrfmiddlewaretoken": token}, follow=follow)


async def signed_up(alice: Browser, name: str = "alice", **more: Any) -> Any:
    return await posted(alice, "sign-up/", username=name, password1=PASSWORD, password2=PASSWORD, **more)


async def signed_in(alice: Browser, name: str = "alice", password: str = PASSWORD, **more: Any) -> Any:
    return await posted(alice, "sign-in/", username=name, password=password, **more)


async def asked(alice: Browser, text: str = "Where to?") -> dict[str, Any]:
    if "csrftoken" not in alice.client.cookies:
        await alice.client.get("/")
    return (await alice.call("post", "/api/travel", {"message": text})).json()


async def titles(alice: Browser) -> list[str]:
    return [t["title"] for t in (await alice.client.get("/api/threads")).json()["threads"]]
