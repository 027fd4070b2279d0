"""OpenTelemetry: the spans of a job, from the request to its last attempt. Off, it imports and does nothing.

The trace of a job has the job's id, and its first span an id that is made of it. So nothing is passed on or
stored, and a trace has all attempts, whichever process runs them:

    submit <kind>        in the process that accepts it: from the arrival of the request to the place in line
      wait <queue>       in line, before an attempt
      run <kind>         the attempt
        first token      from its start to the first text

No span has contents or an owner. The standard variables OTEL_… configure the exporter and the sampling.
"""

import os
import time
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from typing import Any

from .conf import get_conf
from .values.extras import extra

_arrived: ContextVar[float] = ContextVar("arrived", default=0.0)
#: The ids of the next span without a parent: (trace, span).
_next_ids: ContextVar[tuple[int, int] | None] = ContextVar("next_ids", default=None)


def is_on() -> bool:
    """Return whether spans are recorded."""
    return get_conf().traces


def arrived() -> None:
    """Note that a request arrives now: what it submits begins its trace here."""
    if is_on():
        _arrived.set(time.time())


def submitted(job_id: str, kind: str, queue: str, created_at: datetime) -> None:
    """Record that a job was accepted and has its place in line."""
    if not is_on():
        return
    _next_ids.set((int(job_id, 16), _first_span(job_id)))
    began = _arrived.get() or created_at.timestamp()
    _span(None, f"submit {kind}", began, time.time(), _attributes(job_id, kind, queue), "PRODUCER")


def ended(result: Any) -> None:
    """Record the wait and the attempt of a `Result`."""
    if not is_on():
        return
    run, ahead = result.run, time.time() - time.monotonic()
    claimed, over = run.claimed + ahead, result.ended + ahead
    began = (run.began or run.claimed) + ahead
    attributes = _attributes(run.id, run.kind_name, run.queue)
    attributes |= {"job.attempt": run.attempt, "job.outcome": result.outcome, "job.code": result.code}
    context = _inside(_trace().context(run.id))
    _span(context, f"wait {run.queue}", claimed - run.waited, claimed, attributes, "INTERNAL")
    span = _span(context, f"run {run.kind_name}", began, over, attributes, "CONSUMER", failed=result.code)
    if result.first_text is not None:
        _span(_inside(span), "first token", began, result.first_text + ahead, attributes, "INTERNAL")


def flush() -> None:
    """Send what was recorded, before the process ends. Blocks for some seconds at most."""
    if is_on() and _trace.cache_info().currsize:
        _trace().provider.force_flush(3_000)


class _Trace:
    """The provider of this process, with an exporter for OTLP over HTTP."""

    def __init__(self) -> None:
        with extra("otel"):
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import RandomIdGenerator, TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor

        class Ids(RandomIdGenerator):
            """Random ids, but for the first span of a job."""

            def generate_trace_id(self) -> int:
                ids = _next_ids.get()
                return ids[0] if ids else super().generate_trace_id()

            def generate_span_id(self) -> int:
                ids = _next_ids.get()
                _next_ids.set(None)
                return ids[1] if ids else super().generate_span_id()

        named = "OTEL_SERVICE_NAME" in os.environ
        resource = Resource.create({} if named else {"service.name": get_conf().prefix})
        self.provider = TracerProvider(resource=resource, id_generator=Ids())
        self.provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self.tracer = self.provider.get_tracer("queueing")

    def context(self, job_id: str) -> Any:
        """Return the first span of a job, as another process sees it."""
        from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

        trace = int(job_id, 16)
        decision: Any = self.provider.sampler.should_sample(None, trace, "submit").decision
        sampled = bool(decision.is_sampled())
        flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
        return NonRecordingSpan(SpanContext(trace, _first_span(job_id), True, flags))


@cache
def _trace() -> _Trace:
    return _Trace()


os.register_at_fork(after_in_child=_trace.cache_clear)


def _first_span(job_id: str) -> int:
    return int(job_id[16:], 16) or 1


def _attributes(job_id: str, kind: str, queue: str) -> dict[str, Any]:
    return {"messaging.destination.name": queue, "messaging.message.id": job_id, "job.kind": kind}


def _inside(span: Any) -> Any:
    from opentelemetry.trace import set_span_in_context

    return set_span_in_context(span)


def _span(
    context: Any,
    name: str,
    began: float,
    over: float,
    attributes: dict[str, Any],
    kind: str,
    failed: str = "",
) -> Any:
    """Record a span between two times of the wall clock, in seconds."""
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanKind, StatusCode

    start, end = round(began * 1e9), round(max(began, over) * 1e9)
    span = _trace().tracer.start_span(
        name, context or Context(), kind=SpanKind[kind], attributes=attributes, start_time=start
    )
    if failed:
        span.set_status(StatusCode.ERROR, failed)
    span.end(end)
    return span
