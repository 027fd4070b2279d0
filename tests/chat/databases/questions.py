"""Questions to a real web server."""

import json

from tests.support.web import WebServer


def ask(server: WebServer) -> str:
    """Ask a question and return the id of its job."""
    response = server.send("POST", "/api/travel", {"message": "Where to?"})
    body = response.read()
    assert response.status == 202, body
    return str(json.loads(body)["jobId"])
