"""One failing question is followed through the logs of web process and worker by its ids (O5)."""

import asyncio
import json
import logging

import pytest

from queueing.values.log_lines import JsonFormatter, LineFormatter, add_log_ids, log_ids
from tests.support.valkey import wait_until

SECRET_TEXT = "the rash on my left arm"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", ["json", "text"])
def test_failing_question_is_found_by_its_ids_in_the_logs_of_web_and_worker(
    form, web, qcluster, provider, tmp_path
):
    provider.script(status=401, message=f"no: {'sk-' + 'x' * 20}", times=0)
    worker = qcluster(LOG_FORMAT=form, LOG_LEVEL="INFO", **provider.publishes)
    server = web(LOG_FORMAT=form, **provider.publishes)
    body = {"message": SECRET_TEXT, "requestId": "r-17"}
    accepted = json.loads(server.send("POST", "/api/travel", body).read())
    job, thread = accepted["jobId"], accepted["threadId"]
    address = f"/api/jobs/{job}"
    wait_until(lambda: json.loads(server.send("GET", address).read())["status"] == "failed", "the failure")
    logs = {"web": server.log.read_text(), "worker": worker.log.read_text()}
    for text in logs.values():
        lines = [line for line in text.splitlines() if job in line]
        assert lines, text
        for found in ("r-17", thread, "owner"):
            assert any(found in line for line in lines), (found, lines)
        assert SECRET_TEXT not in text
    failed = [line for line in logs["worker"].splitlines() if "model call failed" in line]
    assert failed
    assert all(job in line and "r-17" in line and thread in line for line in failed)
    if form == "json":
        entry = json.loads(failed[0])
        assert {"time", "level", "logger", "message", "job", "kind", "request", "owner", "thread"} <= set(
            entry
        )


def record(message: str = "hello", **fields: object) -> logging.LogRecord:
    """Return a record."""
    return logging.LogRecord("a.b", logging.INFO, "f", 1, message, (), fields.get("exc_info"))


def test_json_line_with_any_text_is_one_object_on_one_line():
    try:
        raise ValueError("a\nb")
    except ValueError as exc:
        line = JsonFormatter().format(record('x "y"\n\u2028', exc_info=(type(exc), exc, exc.__traceback__)))
    assert "\n" not in line
    entry = json.loads(line)
    assert entry["message"] == 'x "y"\n\u2028'
    assert "ValueError: a\nb" in entry["exception"]


def test_line_has_the_ids_of_its_block_and_none_after_it():
    formatter = LineFormatter("{message}", style="{")
    with log_ids(request="r", owner=""):
        add_log_ids(job="j\n")
        assert formatter.format(record()) == r"hello [request=r job=j\n]"
        with log_ids(job="k"):
            assert formatter.format(record()) == "hello [request=r job=k]"
    add_log_ids(job="lost")
    assert formatter.format(record()) == "hello"


async def test_task_that_outlives_its_request_has_no_ids():
    """It may serve all later requests."""
    formatter, ended, lines = LineFormatter("{message}", style="{"), asyncio.Event(), []

    async def serve() -> None:
        lines.append(formatter.format(record()))
        await ended.wait()
        lines.append(formatter.format(record()))

    with log_ids(request="r"):
        task = asyncio.create_task(serve())
        await asyncio.sleep(0)
    ended.set()
    await task
    assert lines == ["hello [request=r]", "hello"]
