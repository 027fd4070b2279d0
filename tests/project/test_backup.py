"""The backup and the restore of docs/runbooks.md, beside a Redis that has what came after the backup.

With SQLite the commands are those that stand there. Those of PostgreSQL are for a host with systemd
(test_deploy_walk.py): here its programs run with an address.
"""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.project import texts
from tests.project.test_docs_commands import FENCE
from tests.support.cluster import environment
from tests.support.valkey import wait_until
from tests.support.web import WebServer

RUNBOOKS = next(path for path in texts.named(".md") if path.name == "runbooks.md")
#: Questions of each kind: answered before the backup, being answered, waiting, and accepted after it.
ANSWERED, ACTIVE, WAITING, LATER = 3, 3, 5, 2


class Documented:
    """The commands of the page, run in a folder of their own as an operator runs them in the project's."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self.environment = folder, environment
        (folder / "var").mkdir(parents=True)
        (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
        (folder / "manage.py").symlink_to(texts.ROOT / "manage.py")

    def run(self, word: str) -> None:
        """Run the block that has this word."""
        section = texts.read(RUNBOOKS).partition("## Back up")[2].partition("## Move")[0]
        (block,) = [found["text"] for found in FENCE.finditer(section) if word in found["text"]]
        self.run_text(block)

    def run_text(self, block: str) -> None:
        """Run commands."""
        done = subprocess.run(
            ["bash", "-e", "-c", block],
            cwd=self._folder,
            env=self.environment | {"PYTHONPATH": str(texts.ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout


def ask(server: WebServer, text: str) -> str:
    """Ask a question in a new thread, and return its id."""
    response = server.send("POST", "/api/travel", {"message": text})
    body = response.read()
    assert response.status == 202, body
    return str(json.loads(body)["threadId"])


def messages(server: WebServer, thread: str) -> list[tuple[str, str]]:
    """Return role and status of the messages of a thread."""
    response = server.send("GET", f"/api/threads/{thread}")
    body = response.read()
    assert response.status == 200, body
    return [(message["role"], message["status"]) for message in json.loads(body)["messages"]]


def rows(url: str, query: str) -> list[Any]:
    """Return the rows of a query to the database with this address."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            return database.execute(query).fetchall()
    with psycopg.connect(url) as session:
        return session.execute(query).fetchall()


def states(url: str) -> list[str]:
    """Return the states of all replies in the database."""
    return [state for (state,) in rows(url, "SELECT state FROM queueing_job WHERE kind = 'chat.reply'")]


def empty_database(folder: Path, request: pytest.FixtureRequest) -> str:
    """Return the address of an empty database."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{folder / 'var' / 'db.sqlite3'}"
    postgres = request.getfixturevalue("postgres")
    postgres.execute(f"CREATE DATABASE restored OWNER {postgres.user}")
    return f"postgres://{postgres.user}:@127.0.0.1:{postgres.port}/restored"


def back_up_and_restore(commands: Documented, live: str, stop: Callable[[], None], empty: str) -> None:
    """Do what the page says. The live site is in use until the restore begins."""
    is_sqlite = live.startswith("sqlite")
    if is_sqlite:
        Path(empty.removeprefix("sqlite:///")).symlink_to(live.removeprefix("sqlite:///"))
    if is_sqlite:
        commands.run("VACUUM INTO")
    else:
        commands.run_text('pg_dump --format=custom --file=buddy.dump "$DATABASE_URL"')
    stop()
    commands.environment["DATABASE_URL"] = empty
    if is_sqlite:
        commands.run("cp var/backup.sqlite3")
    else:
        commands.run_text('pg_restore --no-owner --exit-on-error --dbname="$DATABASE_URL" buddy.dump')
        commands.run_text(".venv/bin/python manage.py migrate")


@pytest.mark.slow
def test_restored_backup_has_every_message_and_ends_every_accepted_job(
    either_database, web, qcluster, provider, valkey, tmp_path, request
):
    env = provider.publishes | {"QUEUE_OPENAI_CHAT_CONCURRENCY": str(ACTIVE), "THREAD_TITLES": "0"}
    live = environment()
    server, cluster = web(**env), qcluster(**env)
    threads = [ask(server, f"Question {n}?") for n in range(ANSWERED)]
    url = live["DATABASE_URL"]
    wait_until(lambda: states(url) == ["completed"] * ANSWERED, "the first answers")
    provider.script(match="Long", until="after the backup", pause_after=3, times=0)
    threads += [ask(server, f"Long question {n}?") for n in range(ACTIVE)]
    wait_until(lambda: states(url).count("active") == ACTIVE, "the long answers to begin")
    threads += [ask(server, f"Waiting question {n}?") for n in range(WAITING)]

    def go_on_and_stop() -> None:
        later = [ask(server, f"Later question {n}?") for n in range(LATER)]
        provider.release("after the backup")
        wait_until(lambda: states(url) == ["completed"] * (len(threads) + len(later)), "all answers")
        server.stop()
        cluster.stop()

    folder = tmp_path / "site"
    commands = Documented(folder, live | env)
    empty = empty_database(folder, request)
    back_up_and_restore(commands, url, go_on_and_stop, empty)

    assert sorted(states(empty)) == sorted(
        ["completed"] * ANSWERED + ["active"] * ACTIVE + ["waiting"] * WAITING
    )
    qcluster(**env, DATABASE_URL=empty)
    restored = web(**env, DATABASE_URL=empty)
    restored.headers = server.headers  # the same visitor, with the same cookie
    # Within a minute workers compare all that the database has with Redis.
    wait_until(lambda: states(empty) == ["completed"] * len(threads), "the accepted jobs to end", 100)
    answered = [("user", "completed"), ("assistant", "completed")]
    assert [messages(restored, thread) for thread in threads] == [answered] * len(threads)
    assert ask(restored, "And a new one?")
