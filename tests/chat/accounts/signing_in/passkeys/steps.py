"""Steps of the tests of passkeys: the questions of the site, and what a browser answers."""

import html
import json
import re
from typing import Any

from tests.chat.accounts.account_client import (
    submit_form,
)
from tests.chat.browser import Browser
from tests.support.authenticator import Authenticator

NEW, CONFIRM = "second-factor/passkeys/new/", "second-factor/passkeys/confirm/"
SIGN_IN, CODE = "sign-in/passkey/", "second-factor/code/"


def by_https(one: Browser) -> Browser:
    """Return the browser, which opens the site over HTTPS."""
    one.client.defaults |= {"x-forwarded-proto": "https", "referer": "https://testserver/"}
    return one


async def question(one: Browser, path: str) -> Any:
    """Return the question in a page, as its script reads it."""
    page = (await one.client.get(f"/account/{path}")).content.decode()
    found = re.search(r'<script id="question" type="application/json">(.*?)</script>', page)
    assert found, page
    return next(iter(json.loads(found[1]).values()))


async def asked_to_sign_in(one: Browser) -> Any:
    answer = await one.client.get(f"/account/{SIGN_IN}", headers={"Accept": "application/json"})
    return answer.json()["request_options"]


async def create(one: Browser, passkey: Authenticator, name: str = "My phone") -> Any:
    credential = passkey.create(await question(one, NEW))
    return await submit_form(one, NEW, name=name, credential=credential)


async def notices(one: Browser, response: Any) -> str:
    """Return the page to which a response leads."""
    return html.unescape((await one.client.get(response["Location"])).content.decode())


async def is_signed_in(one: Browser) -> bool:
    return "Sign out" in (await one.client.get("/account/")).content.decode()
