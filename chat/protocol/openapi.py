"""The OpenAPI file: what ninja reads from the code, with errors and security added."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.operation import Operation
from ninja.parser import Parser

from chat.errors import NOT_FOUND

from . import json_text
from .schemas.base import Problem

DESCRIPTION = """\
Four AI companions behind a job queue. A request that takes long is answered at once with **202**, its
position in line and an expected wait; `GET /api/jobs/{job_id}/events` then sends positions, pieces of the
answer and the end, live. `GET /api/connection` does so for all your jobs and conversations at once.

**Try it here.** This page is served by the site itself and has your session, so *Try it out* works
immediately: `POST /api/travel` with the example, copy its `jobId`, and call `GET /api/jobs/{job_id}`.

**Programs** send `Authorization: Bearer <token>`; tokens are made on your [account page](/account/).
Without one you are a new visitor and get a session cookie; keep it, and send the `csrftoken` cookie's
value as `X-CSRFToken` with every request that is not a GET.

**Errors** are problem details (RFC 9457) with a stable `code`; `field` names the invalid field of a
body or query, and `retryAfter` (seconds) says when to try again. Ids are 32 hex digits,
durations seconds, times ISO 8601.
"""

#: Settings of Swagger UI. Deep links would put a link into each heading that is a button, which keyboards
#: cannot reach.
DOCS_PAGE = {
    "deepLinking": False,
    "tryItOutEnabled": True,
    "displayRequestDuration": True,
    "defaultModelsExpandDepth": 0,
    "syntaxHighlight": {"theme": "nord"},
}

TAGS = {
    "companions": "List the companions, and ask them.",
    "jobs": "Read, follow, cancel and retry jobs.",
    "connection": "What the WebSocket carries, for networks that forbid WebSockets.",
    "threads": "Conversations.",
    "messages": "Edit, withdraw and rate messages.",
    "voice": "Transcribe recordings, and send them as messages.",
    "documents": "Analyse documents in parts, and read the report.",
    "usage": "Your usage and budget today.",
    "care": "Help lines.",
    "queue": "The state of the queues. Counts only.",
    "analytics": "Events that clients report.",
}

_SESSION, _TOKEN, _CSRF = "session", "token", "csrf"
SECURITY = {
    _TOKEN: {
        "type": "http",
        "scheme": "bearer",
        "description": "Your API token. Its scopes: `read` (GET), `chat` (the rest), `analytics`.",
    },
    _SESSION: {
        "type": "apiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": "Set by the first answer, and by signing in. Browsers send it automatically.",
    },
    _CSRF: {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRFToken",
        "description": "The `csrftoken` cookie's value. This page sends it automatically.",
    },
}

#: By HTTP status: when it is sent, and the `code`, `detail` and more of an example.
ERRORS: dict[int, tuple[str, dict[str, Any]]] = {
    400: (
        "The body does not match its content type.",
        {"code": "bad_json", "detail": "Cannot parse request body."},
    ),
    401: (
        "The token is wrong, has expired or was revoked.",
        {"code": "invalid_token", "detail": "This token is wrong, or it was revoked."},
    ),
    403: (
        "The CSRF token is missing (`csrf_failed`), or the token lacks the scope (`insufficient_scope`).",
        {"code": "insufficient_scope", "detail": "This token is not allowed to chat."},
    ),
    404: (
        "The object does not exist, or it belongs to someone else.",
        {"code": "not_found", "detail": NOT_FOUND.message},
    ),
    409: (
        "The request comes too late or too early.",
        {"code": "wrong_state", "detail": "Cannot retry a job that is active."},
    ),
    413: (
        "The body is too large.",
        {"code": "too_large", "detail": "This request's body is too large."},
    ),
    422: (
        "A field is invalid; `field` names it.",
        {"code": "invalid", "detail": "Send either message or messages.", "field": "message"},
    ),
    429: (
        "A limit is reached: `owner_limit`, `rate_limited`, `budget_spent`. Try again after `retryAfter`.",
        {
            "code": "rate_limited",
            "detail": "You have sent many messages. Please wait a little.",
            "retryAfter": 12.0,
        },
    ),
    500: (
        "An error in the server. It was logged.",
        {"code": "server_error", "detail": "Something went wrong here. Please try again."},
    ),
    507: (
        "The server has no room to store more. Try again after `retryAfter`.",
        {"code": "storage_full", "detail": "This server has no room for more.", "retryAfter": 60.0},
    ),
    503: (
        "The queue is full (`queue_full`). Try again after `retryAfter`.",
        {"code": "queue_full", "detail": "The queue is full.", "retryAfter": 30.0},
    ),
}


def errors(*statuses: int) -> dict[Any, Any]:
    """Return an operation's error responses: those of every operation with authentication, and `statuses`.

    An operation that takes a body can find no room for it.
    """
    more = {507} if 413 in statuses else set()
    return {frozenset({401, 403, 429, 500, *statuses, *more}): Problem}


def other_than_json(media_type: str, example: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return an operation's `openapi_extra`: the content type of a non-JSON 200 response."""
    content = {media_type: {"schema": schema or {"type": "string"}, "example": example}}
    return {"responses": {200: {"content": content}}}


class BoundedParser(Parser):
    """A parser of bodies that takes no more work than `json_text.read`."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the value in the body."""
        return json_text.read(request.body)


class DocumentedAPI(NinjaAPI):
    """An API whose OpenAPI file is complete: short ids, security, and each error with an example."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Return the function's name, which generated clients use for theirs."""
        return operation.view_func.__name__

    def get_openapi_schema(self, **kwargs: Any) -> Any:
        """Return the file as a dict."""
        schema = super().get_openapi_schema(**kwargs)
        for path in schema["paths"].values():
            for method, operation in path.items():
                _complete(method, operation)
        schema["tags"] = [{"name": name, "description": about} for name, about in TAGS.items()]
        schema["components"] |= {"securitySchemes": SECURITY, "responses": _responses()}
        _name_ids(schema)
        return schema


def _complete(method: str, operation: dict[str, Any]) -> None:
    if operation["summary"] == operation["operationId"].replace("_", " ").title():
        operation["summary"] = operation["description"].partition(". ")[0].rstrip(".").replace("\n", " ")
    if "security" in operation:
        session = [_SESSION] if method == "get" else [_SESSION, _CSRF]
        ways: list[list[str]] = [[_TOKEN], session, []]  # the last: a new visitor, who gets a session
        operation["security"] = [{name: [] for name in way} for way in ways]
    for status, response in operation["responses"].items():
        if status in ERRORS and "/Problem" in str(response):
            operation["responses"][status] = {"$ref": f"#/components/responses/{_name(status)}"}
        elif status in ERRORS:  # an answer of its own, in place of which a problem may come
            response["content"] |= _response(status, *ERRORS[status])["content"]


def _name_ids(node: Any) -> None:
    """Describe ids as 32 hex digits: pydantic's format `uuid` means dashes, and Swagger UI requires them."""
    if isinstance(node, dict) and node.get("format") == "uuid":
        del node["format"]
        node["pattern"] = "^[0-9a-f]{32}$"
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _name_ids(inner)


def _responses() -> dict[str, Any]:
    return {_name(status): _response(status, *error) for status, error in ERRORS.items()}


def _response(status: int, when: str, example: dict[str, Any]) -> dict[str, Any]:
    problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status} | example
    schema = {"$ref": "#/components/schemas/Problem"}
    headers = {}
    if "retryAfter" in example:
        headers = {"headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}}
    return {
        "description": when,
        "content": {"application/problem+json": {"schema": schema, "example": problem}},
    } | headers


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.title().replace(" ", "")
