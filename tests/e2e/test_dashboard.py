"""The page of the queues in a browser, with real jobs in a real cluster."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.reading import looks, serious, spoken
from tests.e2e.site import Site, running, served
from tests.support.cluster import ClusterProcess
from tests.support.http_proxy import HttpProxy
from tests.support.valkey import free_port

PREPARE = """
from django.core.management import call_command
call_command("migrate", run_syncdb=True, verbosity=0)  # tests.queueing.testapp has a table and no migrations
from django.contrib.auth.models import Permission, User
User.objects.create_superuser("carol", password="of-the-tests")
reader = User.objects.create_user("dora", password="of-the-tests", is_staff=True)
reader.user_permissions.add(Permission.objects.get(codename="view_job"))
"""


def do(site: Site, code: str) -> None:
    """Run code in a process with the database and Redis of the site."""
    site.run("from queueing.submit import submit, submit_many\n" + code)


@pytest.fixture(scope="module")
def queues(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with the kinds of job of the tests, and two members of staff."""
    with running(tmp_path_factory.mktemp("queues"), DJANGO_SETTINGS_MODULE="tests.settings") as site:
        do(site, PREPARE)
        yield site


POLLED = "Live, every 3 seconds"


def open_page(
    context: BrowserContext, url: str, who: str = "carol", query: str = "?queue=test", live: str = "Live"
) -> Page:
    page = context.new_page()
    page.goto(f"{url}/admin/queue{query}")
    page.get_by_label("Name or e-mail address").fill(who)
    page.get_by_label("Password").fill("of-the-tests")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#live")).to_have_text(live)
    return page


@pytest.fixture
def board(queues: Site, visitor: Callable[..., BrowserContext]) -> Page:
    """The page of an operator, with the queue `test` selected."""
    return open_page(visitor(), queues.url)


def number(page: Page, name: str, queue: str = "test") -> Locator:
    """Return a count on the card of the queue."""
    row = page.locator(f"#queue-{queue} .queue__counts div").filter(has_text=name)
    return row.locator("dd")


def act(page: Page, button: str, confirm: str, **fields: str) -> None:
    """Open the button's dialog, fill it in and confirm."""
    page.get_by_role("button", name=button).first.click()
    for label, value in fields.items():
        page.get_by_role("dialog").get_by_label(re.compile(label.replace("_", ".+"))).fill(value)
    page.get_by_role("dialog").get_by_role("button", name=confirm, exact=True).click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_pause_and_resume_change_counts_live(queues: Site, board: Page) -> None:
    board.get_by_role("button", name="Pause…").first.focus()
    board.keyboard.down("Enter")
    expect(board.get_by_role("dialog").get_by_label("Reason")).to_be_focused()
    board.keyboard.down("Enter")  # still held: it opened the dialog and must not confirm (P8)
    board.keyboard.up("Enter")
    board.keyboard.type("An outage.")
    board.keyboard.press("Escape")
    expect(board.get_by_role("button", name="Pause…").first).to_be_focused()
    board.reload()
    act(board, "Pause…", "Pause")  # with the reason that was written (P1)
    expect(spoken(board)).to_have_text("test is paused. Active jobs finish.")
    expect(board.locator("#queue-test")).to_contain_text("Paused")
    expect(board.locator("[data-part=audit]")).to_contain_text("An outage.")
    do(queues, 'submit_many("test.noop", [{}] * 3)')
    expect(number(board, "waiting")).to_have_text("3")
    expect(board.locator(".warning")).to_contain_text("test is paused (3 waiting).")
    act(board, "Resume…", "Resume")
    board.get_by_role("button", name="Pause…").first.click()
    expect(board.get_by_role("dialog").get_by_label("Reason")).to_have_value("")  # that one is done
    board.keyboard.press("Escape")
    expect(number(board, "waiting")).to_have_text("0")
    expect(board.locator("#queue-test")).to_contain_text("3 completed")
    expect(board.get_by_role("button", name="Pause…")).to_be_visible()


def test_changed_concurrency_applies_live_until_reset(queues: Site, board: Page) -> None:
    act(board, "Change limits…", "Change limits", Max_active_jobs_per_cluster="1")
    do(queues, 'submit_many("test.rest", [{"seconds": 600}] * 3)')
    expect(number(board, "active")).to_have_text("1")
    expect(board.locator("#queue-test")).to_contain_text("Limits changed")
    act(board, "Change limits…", "Change limits", Max_active_jobs_per_cluster="2")
    expect(number(board, "active")).to_have_text("2")
    expect(board.locator("[data-part=active] .row")).to_have_count(2)
    board.get_by_role("button", name="Reset limits…").click()
    expect(board.get_by_role("dialog")).to_contain_text("Max active jobs per cluster: 50 instead of 2.")
    board.get_by_role("dialog").get_by_role("button", name="Reset limits").click()
    expect(number(board, "active")).to_have_text("3")
    do(queues, "from queueing.control import verbs\nfrom queueing.models import Job\n"
       "for job in Job.objects.all():\n    if not job.is_finished: verbs.cancel(job.id)")  # fmt: skip
    expect(number(board, "active")).to_have_text("0")


def test_failures_are_noted_and_retried(queues: Site, board: Page) -> None:
    do(queues, 'submit_many("test.flaky", [{"fail": 1, "how": "permanent"}] * 3)')
    group = board.locator(".group").filter(has_text="hopeless")
    expect(group.locator(".group__count")).to_have_text("3")
    act(board, "Edit note…", "Edit note", Note="Known since Monday.")
    expect(group).to_contain_text("Known since Monday.")
    group.get_by_role("button", name="Retry all…").click()
    expect(board.get_by_role("dialog")).to_contain_text("3 jobs failed.")
    board.get_by_role("dialog").get_by_role("button", name="Retry all").click()
    expect(spoken(board)).to_have_text("3 jobs of test queued again (test.flaky: hopeless).")
    expect(group).to_have_count(0)


def test_drain_requires_queue_name(queues: Site, board: Page) -> None:
    act(board, "Pause…", "Pause")
    do(queues, 'submit_many("test.noop", [{}] * 4)')
    expect(number(board, "waiting")).to_have_text("4")
    board.get_by_role("button", name="Drain…").click()
    dialog = board.get_by_role("dialog")
    expect(dialog).to_contain_text("Now: 4 waiting, 0 delayed, 0 active.")
    dialog.get_by_role("button", name="Drain").click()
    expect(dialog.get_by_role("alert")).to_have_text("Type test to confirm.")
    expect(dialog.get_by_label(re.compile("^Type test"))).to_be_focused()
    dialog.get_by_label(re.compile("^Type test")).fill("test")
    dialog.get_by_label(re.compile("^Type test")).press("Enter")
    expect(number(board, "waiting")).to_have_text("0")
    act(board, "Resume…", "Resume")


def test_viewer_without_permission_sees_no_buttons(
    queues: Site, visitor: Callable[..., BrowserContext]
) -> None:
    page = open_page(visitor(), queues.url, "dora")
    expect(page.locator("#detail")).to_contain_text("Max active jobs per cluster")
    expect(page.get_by_role("button")).to_have_count(0)


def test_update_keeps_focus_and_open_table_and_selection_keeps_page(queues: Site, board: Page) -> None:
    board.locator("#finished-jobs summary").press("Enter")
    board.get_by_role("button", name="Drain…").focus()
    do(queues, 'submit("test.noop", {}, delay=600)')
    expect(number(board, "delayed")).to_have_text("1")
    expect(board.get_by_role("button", name="Promote delayed…")).to_be_visible()
    expect(board.get_by_role("button", name="Drain…")).to_be_focused()
    expect(board.locator("#finished-jobs details")).to_have_attribute("open", "")
    act(board, "Promote delayed…", "Promote delayed")
    expect(number(board, "delayed")).to_have_text("0")
    board.evaluate("window.same = true")
    board.get_by_role("link", name="24 hours").click()
    board.get_by_role("link", name="test-narrow", exact=True).click()
    expect(board.get_by_role("heading", name="test-narrow over time")).to_be_visible()
    expect(board).to_have_url(re.compile(r"queue=test-narrow&span=24h"))
    board.go_back()
    expect(board.get_by_role("heading", name="test over time")).to_be_visible()
    assert board.evaluate("window.same")


def test_missing_worker_is_shown_until_one_runs(queues: Site, board: Page, tmp_path: Path) -> None:
    expect(board.locator("[data-part=workers] .row")).to_have_count(1)
    queues.cluster.stop()
    expect(board.locator(".warning")).to_contain_text("No worker is running")
    expect(spoken(board)).to_contain_text("No worker is running")
    expect(board.locator("[data-part=workers]")).to_contain_text("manage.py qcluster")
    queues.cluster = ClusterProcess(tmp_path / "again.log", queues.environment)
    expect(board.locator(".warning")).to_have_count(0)
    expect(spoken(board)).to_contain_text("Resolved: No worker is running")


def test_page_reconnects_after_web_restart(
    queues: Site, visitor: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    port = free_port()
    with served(tmp_path, queues.environment, ready="/healthz", port=port) as url:
        page = open_page(visitor(), url)
    expect(page.locator("#live")).to_have_text(re.compile(r"Connecting again. As of \d\d:\d\d:\d\d UTC"))
    with served(tmp_path, queues.environment, ready="/healthz", port=port):
        expect(page.locator("#live")).to_have_text("Live")


def test_page_without_sockets_reads_itself_again_and_takes_one_that_works(
    queues: Site, visitor: Callable[..., BrowserContext]
) -> None:
    """Networks forbid them, and a project on WSGI has none (E22)."""
    with closing(HttpProxy(urlsplit(queues.url).port or 80)) as proxy:
        page = open_page(visitor(), proxy.url, live=POLLED)
        act(page, "Pause…", "Pause", Reason="No socket.")
        expect(page.locator("#queue-test")).to_contain_text("Paused")
        act(page, "Resume…", "Resume")
        page.evaluate("window.same = true")
        page.get_by_role("link", name="test-narrow", exact=True).click()
        expect(page.get_by_role("heading", name="test-narrow over time")).to_be_visible()
        assert page.evaluate("window.same")
        expect(page.locator("#live")).to_have_text(POLLED)
        proxy.upgrade = "allowed"
        expect(page.locator("#live")).to_have_text("Live", timeout=30_000)
        proxy.upgrade = "refused"
        other = page.context.new_page()
        other.goto(page.url)
        expect(other.locator("#live")).to_have_text(POLLED)
        other.context.clear_cookies()
        expect(other.locator("#live")).to_contain_text("You are signed out.")


def test_database_outage_is_shown_and_page_keeps_contents(queues: Site, board: Page) -> None:
    path = Path(queues.environment["DATABASE_URL"].removeprefix("sqlite:///"))
    away = path.rename(path.with_suffix(".away"))
    path.mkdir()  # the database cannot be opened
    try:
        expect(board.locator("#live")).to_contain_text("The database is unavailable.")
        expect(board.locator("#queue-test")).to_contain_text("waiting")
    finally:
        path.rmdir()
        away.rename(path)
    expect(board.locator("#live")).to_have_text("Live")


def test_action_in_one_web_process_shows_in_another(
    queues: Site, board: Page, visitor: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    with served(tmp_path, queues.environment, ready="/healthz") as url:
        other = open_page(visitor(), url)
        act(other, "Pause…", "Pause", Reason="From elsewhere.")
        expect(board.locator("#queue-test")).to_contain_text("Paused")
        expect(board.locator("[data-part=audit]")).to_contain_text("From elsewhere.")
        act(board, "Resume…", "Resume")
        expect(other.locator("#queue-test")).not_to_contain_text("Paused")


@looks(360, 768, 1280)
def test_page_has_no_serious_axe_findings_and_fits_width(
    queues: Site, visitor: Callable[..., BrowserContext], width: int, theme: str
) -> None:
    do(queues, 'submit("test.flaky", {"fail": 1, "how": "permanent"}); submit("test.rest", {"seconds": 3})')
    page = open_page(visitor(viewport={"width": width, "height": 900}, color_scheme=theme), queues.url)
    expect(page.locator(".group")).not_to_have_count(0)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Change limits…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert serious(page) == []
