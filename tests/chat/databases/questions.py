"""Questions to a real web server."""

import json
from contextlib import suppress
from http.client import HTTPException

from tests.support.valkey import wait_until
from tests.support.web import WebServer


def ask(server: WebServer) -> str:
    """Ask a question and return the id of its job."""
    response = server.send("POST", "/api/travel", {"message": "Where to?"})
    body = response.read()
    assert response.status == 202, body
    return str(json.loads(body)["jobId"])


def ask_until_accepted(server: WebServer, request_id: str) -> str:
    """Ask a question as a client does: again while the server cannot. Return the id of its job."""

    def accepted() -> str:
        with suppress(OSError, HTTPException):
            response = server.send(
                "POST", "/api/travel", {"message": f"Where to, {request_id}?", "requestId": request_id}
            )
            body = response.read()
            assert response.status in (202, 503), body
            return str(json.loads(body)["jobId"]) if response.status == 202 else ""
        return ""

    return str(wait_until(accepted, f"{request_id} to be accepted", 60))
