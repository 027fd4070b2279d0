"""The plans of the statements of requests: on neither database does one read a whole table (D4)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chat.models import Thread
from queueing.admin import readonly, search
from tests.chat.questions import submit_question
from tests.support.growth import staff, visits
from tests.support.growth.fill import Size, fill
from tests.support.growth.rows import analyze
from tests.support.plans import ROWS, large_tables, shape, statements, whole_reads

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "long-and-own-4711"


def all_visits(user: User) -> Iterator[visits.Visits]:
    """What a user asks who has many conversations, and staff."""
    client, owner = Client(), f"u:{user.pk}"
    client.force_login(user)
    accepted = submit_question(owner=owner, companion="travel", text="Lisbon?", request_id="r-1")
    yield visits.readings(client, Thread.objects.get(id=accepted.thread_id))
    yield staff.readings(client, owner)
    yield visits.writings(client, accepted)
    yield visits.erasing(client, PASSWORD)


@pytest.mark.usefixtures("valkey", "either_database")
def test_requests_read_no_whole_table(settings: Any, monkeypatch: pytest.MonkeyPatch):
    settings.ANALYTICS_DAYS = 0
    monkeypatch.setattr(readonly.LargeTable, "newest", 500)  # fewer than the rows here
    monkeypatch.setattr(search, "NEWEST", 500)
    user = User.objects.create_superuser("alice", password=PASSWORD)
    fill(Size(jobs=ROWS, messages=ROWS, threads=ROWS), "large")
    analyze()
    tables, found, known = large_tables(), {}, set()
    for requests in all_visits(user):
        for name, visit in requests.items():
            with statements() as made:
                response = visit()
            assert response.status_code != 500, name
            assert made or name in visits.WITHOUT, name
            for sql, params in made:
                if shape(sql) not in known and (lines := whole_reads(sql, params, tables)):
                    found[f"{name}: {sql[:400]}"] = lines
                known.add(shape(sql))
    assert not found, json.dumps(found, indent=1)
