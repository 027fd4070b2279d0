"""What a web process does, for /metrics: requests, sockets, event streams, its event loop, its resources.

These figures belong to one process. So Prometheus reads each web process, and all others of /metrics are the
same in each of them.
"""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from prometheus_client import ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from queueing.api.metrics import metric_name

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Callable[[dict[str, Any]], Awaitable[None]]], Awaitable[Any]]

#: The upper bounds of durations, in seconds.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
#: Methods with a label of their own: a client can send any word.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OPEN = {"request": "web_requests_open", "stream": "web_streams_open", "socket": "web_sockets_open"}
#: The status of requests whose client left before an answer began.
_NO_ANSWER = "none"


class Durations:
    """A histogram of seconds."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self._counts[sum(seconds > bound for bound in BOUNDS)] += 1
        self._sum += seconds

    def metric(self, of: str, documentation: str) -> Metric:
        """Return the histogram as Prometheus reads it."""
        family, total, buckets = HistogramMetricFamily(metric_name(of), documentation, labels=[]), 0, []
        for bound, count in zip([*map(str, BOUNDS), "+Inf"], self._counts, strict=True):
            buckets.append((bound, float(total := total + count)))
        family.add_metric([], buckets, self._sum)
        return family


#: (method, status) -> requests that have ended.
requests: Counter[tuple[str, str]] = Counter()
request_seconds = Durations()
#: The delay of the event loop, measured every second (loop_watch.py).
loop_lag = Durations()
#: `request`, `stream`, `socket` -> those that are open.
open_now: Counter[str] = Counter()


class Measured:
    """An application around `inner` that counts what it serves."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Serve one request or socket."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "websocket":
            with _Open("socket"):
                await self._inner(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Any, send: Any) -> None:
        began, status, opened = time.monotonic(), _NO_ANSWER, _Open("request")

        async def counted(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
                if _is_event_stream(message.get("headers", ())):
                    opened.become("stream")
            await send(message)

        try:
            with opened:
                await self._inner(scope, receive, counted)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            requests[method, status] += 1
            if opened.what == "request":  # a stream lasts as long as its job
                request_seconds.add(time.monotonic() - began)


class _Open:
    """Something that is open until the end of the block."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        open_now[self.what] += 1

    def __exit__(self, *_: object) -> None:
        open_now[self.what] -= 1

    def become(self, what: str) -> None:
        """Count it as something else from now on."""
        open_now[self.what] -= 1
        self.what = what
        open_now[what] += 1


def _is_event_stream(headers: Any) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers
    )


def metrics() -> Iterator[Metric]:
    """Yield the figures of the web process that answers /metrics."""
    ended = CounterMetricFamily(
        metric_name("web_requests"), "Requests that have ended.", labels=["method", "status"]
    )
    for labels, number in sorted(requests.items()):
        ended.add_metric(labels, number)
    yield ended
    yield request_seconds.metric("web_request_seconds", "Duration of requests, without event streams.")
    for what, name in _OPEN.items():
        yield GaugeMetricFamily(metric_name(name), f"Open {what}s of browsers.", value=open_now[what])
    yield loop_lag.metric("web_loop_lag_seconds", "Delay of the event loop, measured once a second.")
    yield from ProcessCollector(registry=None).collect()
