"""The staff page: who sees it, what it counts, and that it is quick with a million events behind it."""

import csv
import io
import time
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import AsyncClient
from django.utils import timezone

from chat.analytics import costs, export, figures
from chat.analytics.models import Event, Rollup
from chat.analytics.rollups import store
from chat.care.models import CareCount
from chat.usage.models import ModelCall

from .filling import fill, fill_usage
from .tracking import row

pytestmark = [pytest.mark.django_db]

PAGE = "/admin/analytics/"


@pytest.fixture
def staff(client, django_user_model):
    """Call it with permissions to be signed in as somebody of the staff who has them."""

    def sign_in(*permissions: str):
        user = django_user_model.objects.create_user("carol", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return sign_in


@pytest.mark.parametrize("address", [PAGE, f"{PAGE}events.csv"])
def test_only_staff_with_the_permission_see_it(client, staff, django_user_model, address):
    assert client.get(address)["Location"].startswith("/admin/login/")
    client.force_login(django_user_model.objects.create_user("bob"))
    assert client.get(address)["Location"].startswith("/admin/login/")
    assert staff().get(address).status_code == 403
    client.logout()
    django_user_model.objects.filter(username="carol").delete()
    assert staff("view_event").get(address).status_code == 200
    assert client.post(address).status_code == 405


class _Texts(HTMLParser):
    """All that a page says, and what no strict policy would let it do."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.inline: list[str] = []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())

    def handle_starttag(self, tag, attrs):
        self.inline += [f"{tag} {name}" for name, _ in attrs if name == "style" or name.startswith("on")]
        if tag == "style":
            self.inline.append(tag)


def tiles(html: str) -> dict[str, str]:
    """Each tile's name and value."""
    texts = _Texts(html).texts
    names = ("Messages", "Visitors today", "Visitors a day", "Wait for a reply", "Failed")
    return {name: texts[texts.index(name) + 1] for name in names if name in texts}


def test_it_counts_what_happened_in_the_span_with_the_companion(staff):
    now = timezone.now()
    for days, visitor in [(0, "a"), (0, "b"), (3, "a"), (20, "c")]:
        at = now - timedelta(days=days)
        store([
            row("message.sent", at, visitor=visitor * 24),
            row("reply.completed", at, wait=1.0, run=4.0),
            row("message.sent", at, visitor="d" * 24, companion="culture"),
            row("reply.failed", at, companion="culture", code="no_quota"),
        ])  # fmt: skip
    client = staff("view_event")

    def shown(query: str) -> dict[str, str]:
        return tiles(client.get(f"{PAGE}?{query}").content.decode())

    assert shown("span=24h")["Messages"] == "4"
    assert shown("span=24h")["Visitors today"] == "3"
    assert shown("span=7d")["Messages"] == "6"
    assert shown("span=30d")["Messages"] == "8"
    assert shown("span=30d&companion=travel")["Messages"] == "4"
    assert shown("span=30d&companion=travel")["Failed"] == "0%"
    assert shown("span=30d&companion=culture")["Failed"] == "100%"
    assert shown("span=7d&companion=culture")["Wait for a reply"] == "–"
    assert shown("span=7d") == shown("") == shown("span=x&companion=nobody")
    assert "reply: no_quota" in client.get(PAGE).content.decode()


def test_costs_and_help_that_was_offered_are_read_where_they_are_kept(staff, settings):
    settings.PRICE_CURRENCY = "EUR"
    now, rows = timezone.now(), []
    for days, companion, cost in [(0, "travel", 1_250_000), (2, "culture", 500_000), (3, "travel", None)]:
        rows.append(
            ModelCall(job_id=uuid4(), companion=companion, cost=cost, input_tokens=1000, output_tokens=200)
        )
        rows[-1].days = days
    ModelCall.objects.bulk_create(rows)
    for usage in rows:
        ModelCall.objects.filter(id=usage.id).update(created_at=now - timedelta(days=usage.days))
    CareCount.objects.create(day=now.date(), companion="emotional", level="danger", shown=3)
    html = staff("view_event").get(PAGE).content.decode()
    texts = _Texts(html).texts
    assert texts[texts.index("Cost") + 1 :][:2] == ["€1.75", "3 calls, 1 without a price"]
    assert texts[texts.index("Tokens") + 1 :][:4] == ["Culture", "1,200", "Travel", "2,400"]
    assert texts[texts.index("Help was offered") + 1 :][:2] == ["Emotional, danger", "3"]
    day = figures.read(figures.SPANS["24h"], "travel")
    assert sum(costs.costs(day).money["travel"]) == 1.25


def test_calls_of_days_that_are_over_are_summed_up_once_and_nothing_changes_by_it(settings):
    settings.ANALYTICS_DAYS = 90
    fill_usage(400)
    everything = [
        costs.costs(figures.read(span, who)) for span in figures.SPANS.values() for who in ("", "travel")
    ]
    over = {call.created_at.date() for call in ModelCall.objects.all()} - {timezone.now().date()}
    days = 0
    while costs.sum_up_calls():
        days += 1
    assert days == len(over) >= 88
    assert Rollup.objects.filter(name=costs.CALLED).exists()
    assert everything == [
        costs.costs(figures.read(span, who)) for span in figures.SPANS.values() for who in ("", "travel")
    ]
    ModelCall.objects.filter(created_at__lt=timezone.now() - timedelta(days=3)).delete()
    assert costs.costs(figures.read(figures.SPANS["90d"])).calls == 400, "read from the sums"
    assert costs.sum_up_calls() == 0
    settings.ANALYTICS_DAYS = 0
    Rollup.objects.all().delete()
    assert costs.sum_up_calls() == 0


@pytest.mark.parametrize("span", sorted(figures.SPANS))
@pytest.mark.parametrize("events", [[], ["one"], ["huge"]])
def test_nothing_one_event_and_huge_sums_are_whole_pages_without_inline_style(staff, span, events):
    if events:
        store([row("message.sent", visitor="a" * 24), row("reply.completed", wait=0.0, run=1.0)])
    if events == ["huge"]:
        Rollup.objects.update(count=10**15)
    response = staff("view_event").get(f"{PAGE}?span={span}")
    html = response.content.decode()
    assert response.status_code == 200
    assert _Texts(html).inline == []
    assert html.count("Nothing in this time") == (2 if events else 6), "no failures and no feedback"
    assert "style-src 'self'" in response["Content-Security-Policy"]
    for figure in html.split("<figure")[1:]:
        ET.fromstring("<figure" + figure.split("</figure>")[0] + "</figure>")
    if events == ["huge"]:
        assert tiles(html)["Messages"] == "1e15"


@pytest.mark.django_db(transaction=True)
async def test_the_file_has_every_event_of_the_choice_and_no_formula(django_user_model, monkeypatch):
    monkeypatch.setattr(export, "_AT_ONCE", 2)
    await sync_to_async(_fill_file)()
    carol = await sync_to_async(django_user_model.objects.create_superuser)("carol")
    client = AsyncClient()
    await client.aforce_login(carol)
    response = await client.get(f"{PAGE}events.csv?span=7d&companion=travel")
    assert response["Content-Disposition"] == 'attachment; filename="events-travel-7d.csv"'
    parts = [part.decode() async for part in response]
    assert len(parts) == 1 + 3, "read as it is sent, two events at a time"
    head, *rows = csv.reader(io.StringIO("".join(parts), newline=""))
    assert head == ["at", "name", "companion", "visitor", "properties"]
    assert [r[1] for r in rows] == ["'=1+1", "x:n1", "x:n2", "x:n3", "x:n4"]
    assert rows[0][4] == '{"label": "=HYPERLINK(\\"http://evil\\")", "n": 1}'


def _fill_file() -> None:
    now = timezone.now()
    store([row("x:mine", now, visitor="f" * 24, label='=HYPERLINK("http://evil")', n=1)])
    store([row(f"x:n{n}", now) for n in range(1, 5)])  # of the same moment
    store([row("x:old", now - timedelta(days=10)), row("x:other", now, companion="culture")])
    Event.objects.filter(name="x:mine").update(name="=1+1")  # whatever came to be in a table


def test_days_end_at_midnight_utc_and_the_present_step_is_the_last(monkeypatch):
    now = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
    monkeypatch.setattr(figures.timezone, "now", lambda: now)
    week = figures.steps(figures.SPANS["7d"])
    assert (week[0], week[-1], len(week)) == (datetime(2026, 2, 23, tzinfo=UTC), now.replace(minute=0), 7)
    store([row("message.sent", now - timedelta(minutes=31)), row("message.sent", now)])
    assert figures.read(figures.SPANS["7d"]).messages[-2:] == [1, 1]
    assert figures.read(figures.SPANS["24h"]).messages[-2:] == [1, 1]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_with_a_million_events_the_page_is_there_in_no_time(staff, settings, capsys):
    """Ninety days of 11,111 events. Each tenth is written as always; the others only make the table long."""
    settings.ANALYTICS_DAYS = 90
    fill(100_000)
    columns = "at, name, companion, visitor, properties"
    copies = " UNION ALL ".join(f"SELECT {n}" for n in range(9))
    with connection.cursor() as cursor:
        select = f"SELECT {columns} FROM analytics_event, ({copies}) AS copies"
        cursor.execute(f"INSERT INTO analytics_event ({columns}) {select}")
    assert Event.objects.count() == 1_000_000
    fill_usage(50_000)
    while costs.sum_up_calls():
        pass
    client = staff("view_event")
    client.get(PAGE)
    took = {}
    for query in ("span=24h", "span=7d", "span=90d", "span=90d&companion=travel"):
        took[query] = min(_timed(client, f"{PAGE}?{query}") for _ in range(3))
    with capsys.disabled():
        print({query: f"{1000 * seconds:.0f} ms" for query, seconds in took.items()})
    assert max(took.values()) < 1, "reading a million rows in Python would take seconds"


def _timed(client, address: str) -> float:
    """Seconds of this process, database and all: others work on the machine, too."""
    began = time.process_time()
    assert client.get(address).status_code == 200
    return time.process_time() - began
