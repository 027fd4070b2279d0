"""The project's settings on a database and a Redis of the tests' own."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 40)
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")  # nobody: tests that need Redis take `valkey`
os.environ.setdefault("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
os.environ.setdefault("OPENAI_MODEL", "scripted")
os.environ.setdefault("THREAD_TITLES", "0")  # so that a question is one request
os.environ.setdefault("ANALYTICS_DAYS", "0")  # what is counted is written by a thread: its tests turn it on
os.environ.setdefault("OPENAI_TRANSCRIPTION_MODEL", "scripted-ear")
os.environ.setdefault("TEST_VAR", tempfile.mkdtemp(prefix="buddy-tests-"))

from buddy.settings import *  # noqa: F403
from buddy.settings import DATABASES, INSTALLED_APPS, LIMITS, PASSWORD_HASHERS, QUEUEING, STORAGES
from tests.support.queues import QUEUES, TIMES

DEBUG = False
ALLOWED_HOSTS = os.environ.get("TEST_ALLOWED_HOSTS", "*").split(",")
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
PASSWORD_HASHERS = ["tests.support.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]

INSTALLED_APPS += ["tests.queueing.testapp"]

LIMITS = dict.fromkeys(LIMITS, "")  # tests ask much, all from one address
ANSWER_CACHE_SECONDS = int(os.environ.get("TEST_ANSWER_CACHE_SECONDS", "0"))  # and the same again

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: workers in other processes read it too.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(os.environ["TEST_VAR"]) / "test.sqlite3")}
elif "DB_POOL" not in os.environ:
    DATABASES["default"]["OPTIONS"].pop("pool")  # it would keep the test database from being dropped

QUEUEING["QUEUES"] |= QUEUES
QUEUEING["PRELOAD"] += ("tests.queueing.testapp.preloaded",)
QUEUEING |= TIMES
