"""The whole site through PgBouncer in transaction mode, as docs/deploy.md configures it."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from http.client import HTTPException

import psycopg
import pytest
from django.db import connection

from buddy.doctor import database as look
from buddy.doctor.findings import OK, PROBLEM, WARNING, worst
from buddy.settings.database import _POSTGRESQL
from chat.models import Message, Role
from queueing.api import Job, State
from tests.chat.databases.questions import ask, ask_until_accepted
from tests.support.pgbouncer import POOL_SIZE
from tests.support.valkey import wait_until

#: None of what the test measures.
UNLIMITED = dict.fromkeys(("LIMIT_ANONYMOUS", "LIMIT_USER", "LIMIT_ADDRESS", "LIMIT_REQUESTS"), "") | {
    "QUEUE_OPENAI_CHAT_OWNER_LIMIT": "0",
    "QUEUE_OPENAI_CHAT_CONCURRENCY": "10",
    "THREAD_TITLES": "0",
    "METRICS_TOKEN": "of-the-test",
}
QUESTIONS = 60


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_questions_through_pgbouncer_have_one_answer_each(postgres, pgbouncer, web, qcluster, provider):
    """Under load, while PgBouncer is killed and PostgreSQL is restarted. Other pages work meanwhile."""
    for _ in range(2):
        qcluster(**provider.publishes, **UNLIMITED)
    servers = [web(**provider.publishes, **UNLIMITED) for _ in range(2)]
    ended, refused = threading.Event(), []
    with ThreadPoolExecutor(8) as threads:
        reader = threads.submit(read_pages, servers, ended, refused)
        asked = [threads.submit(ask_until_accepted, servers[n % 2], f"r{n}") for n in range(QUESTIONS)]
        wait_until(lambda: sum(one.done() for one in asked) > QUESTIONS // 4, "some questions")
        assert refused == []
        pgbouncer.stop()
        pgbouncer.start()
        wait_until(lambda: sum(one.done() for one in asked) > QUESTIONS // 2, "more questions")
        postgres.restart()
        wait(asked)
        ended.set()
        reader.result()
    jobs = {one.result() for one in asked}
    assert len(jobs) == QUESTIONS
    connection.close()
    wait_until(lambda: not Job.objects.filter(id__in=jobs, finished_at=None).exists(), "all answers", 90)
    assert set(Job.objects.filter(id__in=jobs).values_list("state", "attempts")) == {(State.COMPLETED, 1)}
    assert Message.objects.filter(role=Role.USER).count() == QUESTIONS
    assert Message.objects.filter(role=Role.ASSISTANT).exclude(content="").count() == QUESTIONS
    assert postgres.connections() <= POOL_SIZE


def read_pages(servers, ended, refused):
    """Read what uses the database in other ways, and collect what was no success."""
    metrics = {"Authorization": "Bearer of-the-test"}
    while not ended.is_set():
        for server in servers:
            for path, headers in (("/metrics", metrics), ("/account/export/", {}), ("/api/threads?q=to", {})):
                try:
                    response = server.send("GET", path, **headers)
                    body = response.read()
                except (OSError, HTTPException) as exc:
                    refused.append((path, exc))
                else:
                    refused.extend([(path, body[:200])] if response.status != 200 else [])


def test_site_through_pgbouncer_works_with_another_connection_for_each_transaction(pgbouncer, web):
    """The role's time zone is not the project's. Busy neighbours take the connections in turn."""
    server = web(**UNLIMITED)
    with ThreadPoolExecutor(4) as threads:
        jobs = list(threads.map(lambda _: ask(server), range(12)))
    assert len(set(jobs)) == 12
    assert server.get("/account/export/")[0] == server.get("/")[0] == 200


def test_doctor_names_what_pgbouncer_drops(postgres, pgbouncer, settings):
    connection.settings_dict["OPTIONS"] = {"options": _POSTGRESQL["options"]}
    assert [found.text for found in look.examine() if "pooler" in found.text]
    assert worst(look.examine()) == OK
    connection.close()
    postgres.execute(f"ALTER ROLE {postgres.user} RESET lock_timeout")
    pgbouncer.restart()
    (found,) = [found for found in look.examine() if found.level == WARNING]
    assert "no lock_timeout" in found.text
    postgres.execute(found.advice.removeprefix("As the superuser: "))
    connection.close()
    pgbouncer.restart()
    assert worst(look.examine()) == OK
    connection.close()
    pgbouncer.restart(ignore_startup_parameters="extra_float_digits")
    (found,) = look.examine()
    assert (found.level, "ignore_startup_parameters = options" in found.advice) == (PROBLEM, True)


def test_pgbouncer_gives_clients_of_the_test_different_connections(pgbouncer):
    """The fixture does what it says."""
    first, second = pgbouncer.connect(), pgbouncer.connect()
    with first, second:
        with first.transaction():
            one = first.execute("SELECT pg_backend_pid()").fetchone()
            assert second.execute("SELECT pg_backend_pid()").fetchone() != one
            held = first.execute("DECLARE held CURSOR WITH HOLD FOR SELECT 1")
        assert held
        with second.transaction():
            second.execute("SELECT 1")
            with pytest.raises(psycopg.Error):
                first.execute("FETCH ALL FROM held")
