"""The staff page: permissions, figures, CSV export, and its speed with a million events."""

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

from chat.analytics.models import Event, Rollup
from chat.analytics.rollups import store_events
from chat.analytics.staff_page import costs, export, figures
from chat.care.models import CareCount
from chat.usage.models import ModelCall
from tests.chat.analytics.event_rows import event_row
from tests.chat.analytics.sample_data import store_sample_calls, store_sample_events
from tests.support.proof import prove

pytestmark = [pytest.mark.django_db]

PAGE = "/admin/analytics/"


@pytest.fixture
def staff(client, django_user_model):
    """Return a function that signs in a member of staff with the given permissions."""

    def sign_in(*permissions: str):
        user = django_user_model.objects.create_user("carol", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return sign_in


@pytest.mark.parametrize("address", [PAGE, f"{PAGE}events.csv"])
def test_page_needs_staff_with_the_permission(client, staff, django_user_model, address):
    assert client.get(address)["Location"].startswith("/admin/login/")
    client.force_login(django_user_model.objects.create_user("bob"))
    assert client.get(address)["Location"].startswith("/admin/login/")
    assert staff().get(address).status_code == 403
    client.logout()
    django_user_model.objects.filter(username="carol").delete()
    assert staff("view_event").get(address).status_code == 200
    prove(client)
    assert client.post(address).status_code == 405


class _Texts(HTMLParser):
    """The texts of a page, and the inline styles and scripts that a strict policy forbids."""

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
    """Return the value of each tile by its name."""
    texts = _Texts(html).texts
    names = ("Messages", "Visitors today", "Visitors per day", "Waiting time", "Failed")
    return {name: texts[texts.index(name) + 1] for name in names if name in texts}


def test_page_counts_events_of_the_span_and_companion(staff):
    now = timezone.now()
    for days, visitor in [(0, "a"), (0, "b"), (3, "a"), (20, "c")]:
        at = now - timedelta(days=days)
        store_events([
            event_row("message.sent", at, visitor=visitor * 24),
            event_row("reply.completed", at, wait=1.0, run=4.0),
            event_row("message.sent", at, visitor="d" * 24, companion="culture"),
            event_row("reply.failed", at, companion="culture", code="no_quota"),
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
    assert shown("span=7d&companion=culture")["Waiting time"] == "–"
    assert shown("span=7d") == shown("") == shown("span=x&companion=nobody")
    assert "reply: no_quota" in client.get(PAGE).content.decode()


def test_page_and_export_have_a_companion_that_was_removed(staff):
    """P24: its figures are still shown, and not those of all under its name."""
    store_events([
        event_row("message.sent", visitor="a" * 24, companion="garden"),
        event_row("message.sent", visitor="b" * 24),
        event_row("message.sent", visitor="c" * 24),
    ])  # fmt: skip
    client = staff("view_event")
    page = client.get(f"{PAGE}?span=7d&companion=garden").content.decode()
    assert tiles(page)["Messages"] == "1"
    assert '<a href="?span=7d&amp;companion=garden" aria-current="true">Garden</a>' in page
    file = client.get(f"{PAGE}events.csv?span=7d&companion=garden")
    assert file["Content-Disposition"] == 'attachment; filename="events-garden-7d.csv"'


def test_page_shows_costs_and_help_lines_of_other_apps(staff, settings):
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
    assert texts[texts.index("Help lines shown") + 1 :][:2] == ["Emotional, danger", "3"]
    day = figures.read(figures.SPANS["24h"], "travel")
    assert sum(costs.costs(day).money["travel"]) == 1.25


def test_roll_up_of_past_calls_keeps_the_figures(settings):
    settings.ANALYTICS_DAYS = 90
    store_sample_calls(400)
    before = [
        costs.costs(figures.read(span, who)) for span in figures.SPANS.values() for who in ("", "travel")
    ]
    past_days = {call.created_at.date() for call in ModelCall.objects.all()} - {timezone.now().date()}
    days = 0
    while costs.roll_up_calls():
        days += 1
    assert days == len(past_days) >= 88
    assert Rollup.objects.filter(name=costs.MODEL_CALLED).exists()
    assert before == [
        costs.costs(figures.read(span, who)) for span in figures.SPANS.values() for who in ("", "travel")
    ]
    ModelCall.objects.filter(created_at__lt=timezone.now() - timedelta(days=3)).delete()
    assert costs.costs(figures.read(figures.SPANS["90d"])).calls == 400, "read from the rollups"
    assert costs.roll_up_calls() == 0
    settings.ANALYTICS_DAYS = 0
    Rollup.objects.all().delete()
    assert costs.roll_up_calls() == 0


@pytest.mark.parametrize("span", sorted(figures.SPANS))
@pytest.mark.parametrize("events", [[], ["one"], ["huge"]])
def test_page_with_no_one_and_huge_figures_is_valid_without_inline_style(staff, span, events):
    if events:
        store_events(
            [event_row("message.sent", visitor="a" * 24), event_row("reply.completed", wait=0.0, run=1.0)]
        )
    if events == ["huge"]:
        Rollup.objects.update(count=10**15)
    response = staff("view_event").get(f"{PAGE}?span={span}")
    html = response.content.decode()
    assert response.status_code == 200
    assert _Texts(html).inline == []
    assert html.count("No data in this period") == (2 if events else 6), "no failures and no feedback"
    assert "style-src 'self'" in response["Content-Security-Policy"]
    for figure in html.split("<figure")[1:]:
        ET.fromstring("<figure" + figure.split("</figure>")[0] + "</figure>")
    if events == ["huge"]:
        assert tiles(html)["Messages"] == "1e15"


@pytest.mark.django_db(transaction=True)
async def test_csv_contains_all_selected_events_and_no_formula(django_user_model, monkeypatch):
    monkeypatch.setattr(export, "_BATCH_SIZE", 2)
    await sync_to_async(_store_events_for_export)()
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


def _store_events_for_export() -> None:
    now = timezone.now()
    store_events([event_row("x:mine", now, visitor="f" * 24, label='=HYPERLINK("http://evil")', n=1)])
    store_events([event_row(f"x:n{n}", now) for n in range(1, 5)])  # at the same time
    store_events(
        [event_row("x:old", now - timedelta(days=10)), event_row("x:other", now, companion="culture")]
    )
    Event.objects.filter(name="x:mine").update(name="=1+1")  # a row that the checks would refuse


def test_steps_start_at_midnight_utc_and_end_with_the_current_one(monkeypatch):
    now = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
    monkeypatch.setattr(figures.timezone, "now", lambda: now)
    week = figures.step_starts(figures.SPANS["7d"])
    assert (week[0], week[-1], len(week)) == (datetime(2026, 2, 23, tzinfo=UTC), now.replace(minute=0), 7)
    store_events([event_row("message.sent", now - timedelta(minutes=31)), event_row("message.sent", now)])
    assert figures.read(figures.SPANS["7d"]).messages[-2:] == [1, 1]
    assert figures.read(figures.SPANS["24h"]).messages[-2:] == [1, 1]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_page_with_a_million_events_is_fast(staff, settings, capsys):
    """Ninety days of 11,111 events: a tenth is stored as usual, the others are copies of its rows."""
    settings.ANALYTICS_DAYS = 90
    store_sample_events(100_000)
    columns = "at, name, companion, visitor, properties"
    copies = " UNION ALL ".join(f"SELECT {n}" for n in range(9))
    with connection.cursor() as cursor:
        select = f"SELECT {columns} FROM analytics_event, ({copies}) AS copies"
        cursor.execute(f"INSERT INTO analytics_event ({columns}) {select}")
    assert Event.objects.count() == 1_000_000
    store_sample_calls(50_000)
    while costs.roll_up_calls():
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
    """Return the CPU seconds of this process, since other processes share the machine."""
    began = time.process_time()
    assert client.get(address).status_code == 200
    return time.process_time() - began
