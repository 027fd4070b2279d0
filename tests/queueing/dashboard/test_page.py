"""The page as the server renders it: permissions, and behaviour with and without Redis."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from queueing.conf import get_queue
from queueing.control import audited
from queueing.models import AuditEntry
from queueing.schedule import redis_client, scripts
from queueing.submit import submit, submit_many
from tests.queueing.record.lifecycle import begin
from tests.support.valkey import point_at

from .conftest import failed

pytestmark = [pytest.mark.django_db(transaction=True)]

PAGE = "/admin/queue"


class Page(HTMLParser):
    """The HTML of the page by part, and inline styles and scripts, which the content policy forbids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.inline = html, []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.inline += [f"{tag} {name}" for name, _ in attrs if name == "style" or name.startswith("on")]

    def part(self, name: str) -> str:
        """Return the HTML of a part, up to the next part."""
        _, found, rest = self.html.partition(f'data-part="{name}"')
        return rest.partition("data-part=")[0] if found else ""


def shown(client, query: str = "") -> Page:
    response = client.get(f"{PAGE}{query}")
    assert response.status_code == 200
    return Page(response.content.decode())


def test_page_without_staff_session_redirects_to_sign_in(client, valkey, django_user_model):
    assert client.get(PAGE)["Location"].startswith("/admin/login/")
    client.force_login(django_user_model.objects.create_user("bob"))
    assert client.get(PAGE)["Location"].startswith("/admin/login/")


def test_page_without_permission_shows_only_counts(client, valkey, staff):
    submit("test.noop", {})
    failed(2)
    client.force_login(staff())
    page = shown(client, "?queue=test")
    assert "<dt>waiting</dt><dd>1</dd>" in page.part("queues")
    assert page.part("failures") == page.part("active") == page.part("audit") == ""
    assert "test.flaky" not in page.html
    assert "data-action" not in page.html
    assert page.inline == []


def test_page_with_view_job_shows_failures_without_contents_and_buttons(client, valkey, staff):
    failed(2)
    AuditEntry.objects.create(actor="dora", action="pause", queue="test", note="An outage.")
    client.force_login(staff("view_job"))
    page = shown(client)
    assert "test.flaky: busy" in page.part("failures")
    assert "An outage." in page.part("audit")
    assert "SECRET" not in page.html
    assert "data-action" not in page.html


def test_contents_and_buttons_need_their_permissions(client, valkey, staff):
    failed(2)
    client.force_login(staff("view_job", "view_contents"))
    page = shown(client, "?queue=test")
    assert "SECRET" in page.part("failures")
    assert "data-action" not in page.html
    client.force_login(staff("operate_queue", name="dora"))
    page = shown(client, "?queue=test")
    assert 'data-action="retry_group"' in page.part("failures")
    assert 'data-action="drain"' in page.part("queue_detail")
    assert "SECRET" not in page.html


def test_page_without_worker_shows_command_to_start_one(client, valkey, staff):
    client.force_login(staff())
    page = shown(client)
    assert "No worker is running" in page.part("warnings")
    assert "manage.py qcluster" in page.part("workers")


def test_page_without_redis_shows_warning_and_database_contents(client, settings, staff):
    failed(3)
    point_at(settings, "redis://127.0.0.1:1/0")
    client.force_login(staff("view_job"))
    page = shown(client, "?queue=test")
    assert "Redis is unavailable" in page.part("warnings")
    assert "test.flaky: busy" in page.part("failures")
    assert "Finished jobs" in page.part("plots")


def test_unknown_queue_and_span_become_defaults(client, valkey, staff):
    client.force_login(staff("operate_queue"))
    page = shown(client, "?queue=gone&span=century")
    assert 'data-queue="" data-span="1h"' in page.html


@pytest.mark.parametrize("span", ["1h", "24h", "7d", "90d"])
def test_plots_are_drawn_for_each_span(client, valkey, staff, span):
    client.force_login(staff())
    assert f"span={span}" in shown(client, f"?queue=test&span={span}").part("plots")


def test_active_jobs_beyond_limit_are_counted_and_linked(client, valkey, staff):
    for job in submit_many("test.noop", [{}] * 200):
        begin(job)
    redis_client.run(scripts.claim([replace(get_queue("test"), concurrency=500)], "c1/w/1", 500))
    client.force_login(staff("view_job"))
    running = shown(client, "?queue=test").part("active")
    assert running.count('class="row"') == 50
    assert "150 more active jobs." in running
    for there in [link.partition('"')[0] for link in running.split('href="')[1:]]:
        assert client.get(there.replace("&amp;", "&")).status_code == 200, there


def test_limiter_shows_used_starts(client, valkey, staff):
    client.force_login(staff())
    detail = shown(client, "?queue=test-limited").part("queue_detail")
    assert "2 per 3 s" in detail
    assert "(0 used)" in detail
    audited.set_limits("test-limited", actor="carol", limiter=(5, 600))
    submit("test.limited", {})
    redis_client.run(scripts.claim([get_queue("test-limited")], "c1/w/1", 1))
    detail = shown(client, "?queue=test-limited").part("queue_detail")
    assert "5 per 10 min" in detail
    assert "(1 used)" in detail


def test_orphaned_queue_is_shown_without_retry_buttons(client, valkey, staff):
    client.force_login(staff("operate_queue"))
    assert "gone" not in shown(client).html
    failed(2, queue="gone")
    for job in submit_many("test.noop", [{}] * 3):
        type(job).objects.filter(id=job.id).update(queue="gone")
    page = shown(client)
    assert "3 unfinished jobs on the unknown queue gone" in page.part("warnings")
    assert "Unknown queue" in page.part("failures")
    assert 'data-action="retry_group"' not in page.part("failures")
    jobs = page.part("failures").rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert client.get(jobs).content.decode().count("/change/") >= 2


def test_page_of_a_project_without_a_look_has_that_of_the_engine(client, valkey, staff):
    """The page had no colours, sizes and buttons without the style sheets of the chat."""
    client.force_login(staff())
    html = shown(client).html
    assert "<title>Queues · Django site admin</title>" in html
    sheets = re.findall(r'rel="stylesheet" href="/static/([^"]+)"', html)
    css = "".join(Path(finders.find(sheet)).read_text() for sheet in sheets)
    assert set(re.findall(r"var\((--[\w-]+)", css)) - set(re.findall(r"(--[\w-]+):", css)) == set()
    for shared in (".button ", ".button--main ", ".dialog ", ".for-screen-readers ", ".skip "):
        assert f"\n{shared}" in css, shared
