"""E22: a project without Channels, Rich and the client of Prometheus can use the engine."""

import os
import signal
import subprocess
import sys

import pytest

from queueing import checks
from tests.support.cluster import ROOT

FOLLOW = """
import asyncio
from django.contrib.auth.models import User
from django.test import Client
from queueing.api import submit
from queueing.api.events import follow

job = submit("alone.hello", {"name": "Ada"}, owner="ada").job

async def read():
    return [event async for event in follow(job)]

events = asyncio.run(read())
print(events[-1]["type"], events[-1]["response"])
admin = Client(headers={"host": "localhost"})
admin.force_login(User.objects.create_superuser("root"))
pages = ("queue", "queueing/job/", f"queueing/job/{job.pk}/change/")
print([admin.get(f"/admin/{page}").status_code for page in pages])
"""


@pytest.fixture
def manage(valkey, tmp_path):
    """Call it to start a command of the project. It returns the process, which the test's end kills."""
    env = os.environ | {
        "REDIS_URL": valkey.url,
        "ALONE_DATABASE": str(tmp_path / "db.sqlite3"),
        "PYTHONPATH": str(ROOT),
    }
    started = []

    def start(*words):
        command = [sys.executable, "-m", "tests.queueing.alone.manage", *words]
        started.append(
            subprocess.Popen(
                command, cwd=tmp_path, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def output_of(process):
    text = process.communicate(timeout=60)[0]
    assert process.returncode == 0, text
    return text


def test_engine_without_optional_packages_runs_a_job_and_shows_it(manage):
    found = output_of(manage("check", "--tag", "queueing"))
    assert "queueing.W005" in found  # the SQLite options of `startproject`
    output_of(manage("migrate", "-v", "0"))
    cluster = manage("qcluster")
    lines = output_of(manage("shell", "-v", "0", "-c", FOLLOW)).splitlines()
    assert lines[-2:] == ["job:completed Hello, Ada", "[200, 200, 200]"]
    cluster.send_signal(signal.SIGTERM)
    assert "Traceback" not in output_of(cluster)


def test_check_names_the_order_of_the_apps_with_which_no_job_would_run(monkeypatch):
    monkeypatch.setattr(checks, "get_commands", lambda: {"qcluster": "django_q"})
    assert [found.id for found in checks.check_apps()] == ["queueing.E008"]


class _Elsewhere:
    def db_for_write(self, model, **hints):
        return "other" if model._meta.app_label == "queueing" else None


def test_check_names_a_router_that_sends_the_engine_elsewhere(settings):
    settings.DATABASE_ROUTERS = [_Elsewhere()]
    assert [found.id for found in checks.check_database()] == ["queueing.E007"]
    settings.DATABASE_ROUTERS = []
    assert checks.check_database() == []
