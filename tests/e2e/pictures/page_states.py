"""The states of all other pages: accounts, help lines, errors, the staff's pages."""

import subprocess
import sys
from collections.abc import Iterator
from itertools import count

from playwright.sync_api import Page, expect

from tests.e2e.pictures.chat_states import State
from tests.e2e.pictures.stage import Stage
from tests.e2e.reading import answers, say
from tests.support.cluster import ROOT

OWN = "long-and-own-4711"
ERRORS = ("403", "403_csrf", "429", "500", "503")
_NUMBERS = count()
#: Writes a template of an error, which cannot be asked for, as the site would send it.
RENDER = """
import django, sys
django.setup()
from django.template.loader import render_to_string
sys.stdout.write(render_to_string(sys.argv[1] + ".html", {"message": "Please wait 40 seconds."}))
"""


def accounts(stage: Stage) -> Iterator[State]:
    """The pages of a visitor and of a user with a token and a second factor."""
    page = stage.page("/account/")
    yield "account-visitor", page
    for name in ("sign-in", "erase"):
        page.goto(f"{stage.site.url}/account/{name}/")
        yield f"account-{name}", page
    page.goto(f"{stage.site.url}/account/sign-up/")
    page.get_by_label("Name:", exact=True).fill(f"owl{next(_NUMBERS)}")
    page.get_by_label("Password:", exact=True).fill("owl")
    page.get_by_label("Password confirmation").fill("owls")
    page.get_by_role("button", name="Sign up").click()
    yield "account-sign-up", page
    name = f"a-user-with-quite-a-long-name-{next(_NUMBERS)}"
    page.get_by_label("Name:", exact=True).fill(name)
    page.get_by_label("Password:", exact=True).fill(OWN)
    page.get_by_label("Password confirmation").fill(OWN)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url(stage.site.url + "/")
    page.goto(f"{stage.site.url}/account/")
    page.locator("form[action$='tokens/'] input[type=text]").first.fill("A program with a long name")
    page.get_by_role("button", name="Create token").click()
    yield "account-user", page
    yield from _second_factor(stage, page)
    for path in ("password", "sign-out"):
        page.goto(f"{stage.site.url}/account/{path}/")
        yield f"account-{path}", page


def _second_factor(stage: Stage, page: Page) -> Iterator[State]:
    from tests.e2e.test_second_factor import code_of  # it needs Django's settings

    factor = f"{stage.site.url}/account/second-factor/"
    page.goto(factor)
    yield "factor", page
    page.goto(f"{factor}app/")
    yield "factor-app", page
    secret = page.locator(".account__steps code").inner_text()
    page.get_by_label("Code").fill(code_of(secret, 1))
    page.get_by_role("button", name="Set up").click()
    expect(page.locator(".account__codes li")).to_have_count(10)
    yield "factor-codes", page
    for path in ("app/remove", "recovery-codes/new"):
        page.goto(f"{factor}{path}/")
        yield f"factor-{path.replace('/', '-')}", page


def mail(stage: Stage) -> Iterator[State]:
    """The pages of a site that sends e-mail."""
    page = stage.page("/account/reset/", site=stage.strict)
    yield "mail-reset", page
    page = stage.signed_in("/account/email/", site=stage.strict)
    yield "mail-address", page


def help_lines_and_errors(stage: Stage) -> Iterator[State]:
    """The page of all help lines, the reference of the API and the pages of errors."""
    page = stage.page("/care", locale="de-DE")
    page.get_by_text("Brasil").click()
    yield "help-lines", page
    page.goto(f"{stage.site.url}/api/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    yield "api-docs", page
    page.goto(f"{stage.site.url}/nowhere")
    yield "error-404", page
    for name in ERRORS:
        command = [sys.executable, "-c", RENDER, name]
        html = subprocess.run(
            command, cwd=ROOT, env=stage.site.environment, check=True, capture_output=True
        ).stdout
        _open(page, f"{stage.site.url}/{name}", html)
        yield f"error-{name}", page


def _open(page: Page, address: str, html: bytes) -> None:
    """Show the page as if the site had it at this address."""
    page.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(address)


def staff(stage: Stage) -> Iterator[State]:
    """The dashboard with active and failed jobs, a dialog, the figures, and the administration."""
    stage.provider.script(text="One word after the other. " * 200, pause_after=5, until="seen", times=3)
    for n in range(3):
        visitor = stage.page()
        say(visitor, f"Plan {n}, please?")
        expect(answers(visitor)).to_have_count(1)
    page = stage.signed_in("/admin/queue?queue=openai-chat")
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.locator("[data-part=active] .row").first).to_be_visible()
    yield "dashboard", page
    page.get_by_role("button", name="Change limits…").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "dashboard-dialog", page
    for name, path in (
        ("analytics", "analytics/"),
        ("admin", ""),
        ("admin-jobs", "queueing/job/"),
        ("admin-failed", "queueing/job/?state=failed"),
    ):
        page.goto(f"{stage.site.url}/admin/{path}")
        yield name, page
    page.locator("#result_list").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    yield "admin-job", page


STATES = [accounts, mail, help_lines_and_errors, staff]
