"""E22: a project can use the engine with few settings, and without the packages of its extras."""

import os
import signal
import subprocess
import sys

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django_q.conf import Conf

import queueing
from queueing import checks
from queueing.conf import DJANGO_Q_BROKER
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
    assert not [line for line in lines if "Warning" in line]
    assert lines[-2:] == ["job:completed Hello, Ada", "[200, 200, 200]"]
    cluster.send_signal(signal.SIGTERM)
    assert "Traceback" not in output_of(cluster)


MISSING = """
import importlib
for module in ("queueing.api.metrics", "queueing.events.channel_layer", "queueing.dashboard.socket"):
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as missing:
        print(missing)
"""


def test_part_whose_package_is_missing_names_the_extra(manage):
    told = [
        line.partition(" is not")[2]
        for line in output_of(manage("shell", "-v", "0", "-c", MISSING)).splitlines()
    ]
    install = " installed. Run: pip install 'django-queueing[{}]'"
    assert told[-3:] == [install.format(name) for name in ("prometheus", "channels", "channels")]
    output_of(manage("migrate", "-v", "0"))
    monitor = manage("queue_monitor", "--once")
    said = monitor.communicate(timeout=60)[0]
    assert "CommandError: rich is not installed. Run: pip install 'django-queueing[monitor]'" in said
    monitor = manage("queue_monitor", "--json")  # it needs no package
    assert '"health"' in monitor.communicate(timeout=60)[0]


def test_project_without_django_q_is_told_to_add_it(monkeypatch):
    monkeypatch.setattr(apps, "is_installed", lambda name: False)
    with pytest.raises(ImproperlyConfigured, match="Add it after 'queueing'"):
        apps.get_app_config("queueing").ready()


def test_django_q_gets_the_broker_of_the_engine_unless_another_is_named(settings):
    settings.Q_CLUSTER = {"timeout": 600}
    config = type(apps.get_app_config("queueing"))
    config("queueing", queueing)
    assert settings.Q_CLUSTER == {"broker_class": DJANGO_Q_BROKER, "timeout": 600, "retry": 660}
    settings.Q_CLUSTER = {"broker_class": "yours.Broker"}
    config("queueing", queueing)
    assert settings.Q_CLUSTER["broker_class"] == "yours.Broker"


def test_check_names_another_broker_whose_tasks_would_wait_for_ever(monkeypatch):
    monkeypatch.setattr(Conf, "BROKER_CLASS", "yours.Broker")
    assert [found.id for found in checks.check_apps()] == ["queueing.E009"]


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
