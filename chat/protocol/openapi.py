"""The OpenAPI file: what ninja reads off the code, and what it cannot know of errors and of who may ask."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from ninja import NinjaAPI
from ninja.operation import Operation

from chat.errors import NOT_FOUND

from .schemas import Problem

DESCRIPTION = """\
Four AI companions behind a job queue. Whatever takes long is answered at once with **202**, its place in
line and an expected wait; `GET /api/jobs/{job_id}/events` then tells position, pieces of the answer and
the end, live.

**Try it here.** This page is served by the site itself and has your session, so *Try it out* works as
you are: `POST /api/travel` with the example, copy its `jobId`, and look at `GET /api/jobs/{job_id}`.

**Programs** send `Authorization: Bearer <token>`; tokens are made on your [account page](/account/).
Without one you are a new visitor and get a session cookie; keep it, and send the `csrftoken` cookie's
value as `X-CSRFToken` with whatever is not a GET.

**Errors** are problem details (RFC 9457) with a stable `code`; `field` names what is wrong in a body or
query, and `retryAfter` (seconds) when to come back. Ids are 32 hex digits, durations seconds, times ISO
8601.
"""

#: Of Swagger UI. Deep links would put a link into each heading that is a button: no keyboard gets into it.
DOCS_PAGE = {
    "deepLinking": False,
    "tryItOutEnabled": True,
    "displayRequestDuration": True,
    "defaultModelsExpandDepth": 0,
    "syntaxHighlight": {"theme": "nord"},
}

TAGS = {
    "companions": "Who there is, and asking them.",
    "jobs": "What was asked: how it stands, following it, stopping it, having it tried again.",
    "threads": "Conversations.",
    "messages": "Changing, taking back and judging what was said.",
    "voice": "Recordings, written down and asked.",
    "documents": "Documents, read in parts and reported on.",
    "usage": "What one has used today, and may.",
    "care": "Help lines.",
    "queue": "How busy it is. Counts only.",
    "analytics": "Events that clients report.",
}

_SESSION, _TOKEN, _CSRF = "session", "token", "csrf"
SECURITY = {
    _TOKEN: {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of yours. Its scopes: `read` (GET), `chat` (the rest), `analytics`.",
    },
    _SESSION: {
        "type": "apiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": "Set by the first answer, and by signing in. Browsers send it by themselves.",
    },
    _CSRF: {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRFToken",
        "description": "The `csrftoken` cookie's value. This page sends it by itself.",
    },
}

#: By status: when it is answered, and an example's `code`, `detail` and more.
ERRORS: dict[int, tuple[str, dict[str, Any]]] = {
    400: (
        "The body is not what its content type says.",
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
        "There is no such thing, or it is somebody else's.",
        {"code": "not_found", "detail": NOT_FOUND.message},
    ),
    409: (
        "It is too late, or too early, for this.",
        {"code": "wrong_state", "detail": "Cannot retry a job that is active."},
    ),
    413: (
        "The body is too large.",
        {"code": "too_large", "detail": "This request's body is too large."},
    ),
    422: (
        "A field is wrong; `field` names it.",
        {"code": "invalid", "detail": "Send either message or messages.", "field": "message"},
    ),
    429: (
        "Too much was asked: `owner_limit`, `rate_limited`, `budget_spent`. Come back after `retryAfter`.",
        {
            "code": "rate_limited",
            "detail": "You have sent many messages. Please wait a little.",
            "retryAfter": 12.0,
        },
    ),
    500: (
        "Something broke on our side; it has been noted.",
        {"code": "server_error", "detail": "Something went wrong here. Please try again."},
    ),
    503: (
        "The line is full (`queue_full`). Come back after `retryAfter`.",
        {"code": "queue_full", "detail": "The line is full.", "retryAfter": 30.0},
    ),
}


def errors(*statuses: int) -> dict[Any, Any]:
    """For an operation's `response`: the errors of every operation that asks who you are, and `statuses`."""
    return {frozenset({401, 403, 429, 500, *statuses}): Problem}


def other_than_json(media_type: str, example: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """For an operation's `openapi_extra`: what a 200 is that is not JSON."""
    content = {media_type: {"schema": schema or {"type": "string"}, "example": example}}
    return {"responses": {200: {"content": content}}}


class DocumentedAPI(NinjaAPI):
    """An API whose OpenAPI file is complete: short ids, security, and each error with an example."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The function's name: clients that are made from the file call theirs by it."""
        return operation.view_func.__name__

    def get_openapi_schema(self, **kwargs: Any) -> Any:
        """The file, as a dict."""
        schema = super().get_openapi_schema(**kwargs)
        for path in schema["paths"].values():
            for method, operation in path.items():
                _complete(method, operation)
        schema["tags"] = [{"name": name, "description": about} for name, about in TAGS.items()]
        schema["components"] |= {"securitySchemes": SECURITY, "responses": _responses()}
        _name_ids(schema)
        return schema


def _complete(method: str, operation: dict[str, Any]) -> None:
    if operation["summary"] == operation["operationId"].replace("_", " ").title():  # ninja's, of the name
        operation["summary"] = operation["description"].partition(". ")[0].rstrip(".").replace("\n", " ")
    if "security" in operation:
        session = [_SESSION] if method == "get" else [_SESSION, _CSRF]
        ways: list[list[str]] = [[_TOKEN], session, []]  # the last: nobody yet, who gets a session
        operation["security"] = [{name: [] for name in way} for way in ways]
    for status in operation["responses"]:
        if status in ERRORS:
            operation["responses"][status] = {"$ref": f"#/components/responses/{_name(status)}"}


def _name_ids(node: Any) -> None:
    """Ids are 32 hex digits; pydantic's format `uuid` promises dashes, and Swagger UI insists on them."""
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
