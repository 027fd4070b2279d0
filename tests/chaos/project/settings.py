"""Buddy's settings, with the queues of the kinds in `jobs.py`. All else is as in production."""

import datetime
import faulthandler
import signal
import time

from django.conf import settings
from django.utils import timezone


def _now() -> datetime.datetime:
    """Return the time, in the clock that `clock/sitecustomize.py` steps."""
    return datetime.datetime.fromtimestamp(time.time(), tz=datetime.UTC if settings.USE_TZ else None)


timezone.now = _now
faulthandler.register(signal.SIGUSR1, all_threads=True)

from buddy.settings import *  # noqa: E402, F403
from buddy.settings import DATABASES, INSTALLED_APPS, QUEUEING, STORAGES, env  # noqa: E402

ROOT_URLCONF = "tests.chaos.project.urls"
INSTALLED_APPS += ["tests.chaos.project"]
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
CHAOS_VERSION = env.int("CHAOS_VERSION", default=1)
if env.bool("CHAOS_READER", default=False):  # the program itself: a few threads that read
    DATABASES["default"]["OPTIONS"].pop("pool", None)

#: Starts of `chaos-limited` in any period of so many seconds.
LIMITER = (5, 10.0)
#: Active jobs of `chaos-work`, over all clusters.
WORK_GLOBAL = 4
QUEUEING["QUEUES"] |= {
    "chaos-work": {"priority": 3, "concurrency": 3, "global_concurrency": WORK_GLOBAL, "attempts": 3},
    "chaos-limited": {
        "priority": 3,
        "concurrency": 10,
        "attempts": 3,
        "limiter": {"max": LIMITER[0], "duration": LIMITER[1]},
    },
}
