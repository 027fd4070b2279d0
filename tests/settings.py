"""The project's settings on a database and a Redis of the tests' own."""

import os

os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 40)
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")  # nobody: tests that need Redis take `valkey`

from buddy.settings import *  # noqa: F403

DEBUG = False
ALLOWED_HOSTS = ["*"]
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
