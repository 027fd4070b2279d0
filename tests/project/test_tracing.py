"""Traces from the request to the first token, and reports of errors: what is sent, and no contents."""

import gzip
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.project.test_make_run import ROOT
from tests.provider import Script
from tests.support.valkey import wait_until


class Collector:
    """A real server that keeps what is posted to it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                unpacked = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                collector.bodies.append(unpacked)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self, trace: str) -> dict[str, list[Any]]:
        """Return the spans of a trace by name."""
        found: dict[str, list[Any]] = {}
        for body in list(self.bodies):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        if span.trace_id.hex() == trace:
                            found.setdefault(span.name, []).append(span)
        return found


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A running collector."""
    started = Collector()
    yield started
    started.server.shutdown()
    started.server.server_close()


@pytest.mark.django_db(transaction=True)
def test_trace_leads_from_the_request_to_the_first_token(web, qcluster, provider, collector):
    """Two attempts: each has its wait in the queue as a span of its own."""
    provider.script(Script(status=500), Script(text="A secret answer."))
    address = f"http://127.0.0.1:{collector.server.server_port}"
    on = {"TRACES": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    server, _ = web(**on), qcluster(**on, **provider.publishes, QUEUE_OPENAI_CHAT_BACKOFF_DELAY="0")
    before = time.time_ns()
    job = json.load(server.send("POST", "/api/travel", {"message": "a secret question"}))["jobId"]
    wait_until(lambda: "first token" in (s := collector.spans(job)) and len(s["run chat.reply"]) == 2, "all")
    spans = collector.spans(job)
    (first,) = spans["submit chat.reply"]
    assert first.parent_span_id == b""
    assert before <= first.start_time_unix_nano <= first.end_time_unix_nano
    waits, runs = spans["wait openai-chat"], spans["run chat.reply"]
    assert {span.parent_span_id for span in waits + runs} == {first.span_id}
    for wait, run in zip(waits, runs, strict=True):
        assert wait.start_time_unix_nano <= wait.end_time_unix_nano <= run.start_time_unix_nano + 50_000_000
    (token,) = spans["first token"]
    assert token.parent_span_id == runs[-1].span_id
    outcomes = [{a.key: a.value.string_value for a in run.attributes}["job.outcome"] for run in runs]
    assert outcomes[-1] == "completed"
    assert [run.status.code for run in runs][-1] != 2
    assert not any(b"secret" in body for body in collector.bodies)


def test_traces_and_reports_that_are_off_import_nothing():
    """The client of Redis imports a part of OpenTelemetry itself, where that is installed."""
    code = "import django, sys; django.setup(); import queueing.worker.process, buddy.asgi; "
    code += "OURS = ('opentelemetry.exporter', 'opentelemetry.sdk.trace', 'sentry'); "
    code += "print([name for name in sys.modules if name.startswith(OURS)])"
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "/usr/bin"}
    output = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, env=environment, text=True)
    assert output.splitlines()[-1] == "[]"


def test_errors_are_reported_without_values_of_variables(collector):
    code = """
import django
django.setup()
import logging
def fail(question):
    raise ValueError("broken")
try:
    fail("a secret question")
except ValueError:
    logging.getLogger("chat").exception("an answer failed")
"""
    dsn = f"http://key@127.0.0.1:{collector.server.server_port}/1"
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "/usr/bin", "SENTRY_DSN": dsn}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, capture_output=True)
    wait_until(lambda: collector.bodies, "the report")
    report = b"".join(collector.bodies)
    assert b"an answer failed" in report
    assert b"ValueError" in report
    assert b'"vars"' not in report
    assert b"secret question" not in report.replace(b'fail(\\"a secret question\\")', b"")  # its own source
