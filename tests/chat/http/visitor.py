"""A visitor of the HTTP API, with the complete middleware."""

import json
from typing import Any

from django.test import AsyncClient


class Visitor:
    """A browser session with its CSRF token, sending JSON."""

    def __init__(self) -> None:
        self.client = AsyncClient(enforce_csrf_checks=True)

    async def call(self, method: str, path: str, data: Any = None, **headers: str) -> Any:
        if token := self.client.cookies.get("csrftoken"):
            headers = {"X-CSRFToken": token.value} | headers
        body = data if isinstance(data, bytes | str) else json.dumps(data)
        return await self.client.generic(
            method, path, body if data is not None else b"", content_type="application/json", headers=headers
        )

    async def ask(self, text: str = "Where to?", companion: str = "travel", **more: Any) -> Any:
        response = await self.call("POST", f"/api/{companion}", {"message": text} | more)
        assert response.status_code == 202, response.content
        return response.json()


def problem(response: Any, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """Return the response's problem, after checking it."""
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert (response.status_code, body["status"], body["code"], body.get("field")) == (
        status,
        status,
        code,
        field,
    )
    assert body["type"] == "about:blank"
    assert body["title"]
    assert body["detail"].endswith(".")
    return body
