"""The settings of `startproject`, and the engine with one queue."""

import os

from tests.queueing.settings import MIDDLEWARE, TEMPLATES, TIMES  # noqa: F401

SECRET_KEY = "only-for-tests-" + "x" * 40
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "tests.queueing.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
STATIC_URL = "/static/"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "queueing",
    "django_q",
    "tests.queueing.alone",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["ALONE_DATABASE"]}}
Q_CLUSTER = {"workers": 1}
QUEUEING = {"REDIS_URL": os.environ["REDIS_URL"], "QUEUES": {"default": {}}, **TIMES}
