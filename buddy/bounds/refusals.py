"""The answers to requests that are refused before Django sees them."""

import json
from dataclasses import dataclass
from http import HTTPStatus

from chat.http import texts


@dataclass(eq=False)  # not frozen: Python writes the traceback into it
class Refused(Exception):
    """A request that is not read: its status, and the code and sentence that clients get."""

    status: int
    code: str
    message: str
    retry_after: int | None = None
    """Seconds."""

    @property
    def title(self) -> str:
        """Return the status in words."""
        return HTTPStatus(self.status).phrase

    @property
    def body(self) -> bytes:
        """Return the problem document."""
        fields = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.message,
            "code": self.code,
        }
        more = {} if self.retry_after is None else {"retryAfter": float(self.retry_after)}
        return json.dumps(fields | more).encode()

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers of the answer. The connection ends, since its body was not read."""
        found = [
            (b"Content-Type", b"application/problem+json"),
            (b"Content-Length", str(len(self.body)).encode()),
            (b"Cache-Control", b"no-store, private"),
            (b"Content-Security-Policy", b"default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
            (b"X-Content-Type-Options", b"nosniff"),
            (b"Referrer-Policy", b"same-origin"),
            (b"Connection", b"close"),
        ]
        if self.retry_after is not None:
            found.append((b"Retry-After", str(self.retry_after).encode()))
        return found


TOO_LARGE = Refused(413, "too_large", texts.BODY_TOO_LARGE)
TOO_MANY_OPEN = Refused(429, "rate_limited", texts.TOO_MANY_OPEN, 5)
NO_ROOM = Refused(503, "queue_full", texts.TOO_MANY_BODIES, 5)
