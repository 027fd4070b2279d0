"""The sites that the states are shown on, and what the states do with them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.dashboard_picture import PREPARE as STAFF
from tests.e2e.site import Site, running
from tests.provider.fixture import Provider
from tests.support.cluster import ROOT

PASSWORD = "of-the-tests"
#: Figures for the page of the analytics.
FIGURES = """
import django
django.setup()
from tests.chat.analytics.sample_data import store_sample_calls, store_sample_events
store_sample_events(3000)
store_sample_calls(1000)
"""


@dataclass
class Stage:
    """A site with a scripted model; each page is that of a new visitor."""

    site: Site
    strict: Site
    """Another site, with narrow limits, a full queue after two answers, and e-mail."""
    provider: Provider
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)

    def page(self, path: str = "/", *, site: Site | None = None, script: str = "", **options: Any) -> Page:
        """Return the page at `path`, with `script` run before those of the page."""
        context = self.browser.new_context(
            bypass_csp=True, **options
        )  # axe is a script that the policy forbids
        self.contexts.append(context)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.goto((site or self.site).url + path)
        return page

    def signed_in(self, path: str, *, who: str = "carol", site: Site | None = None) -> Page:
        """Return the page at `path` for a member of staff."""
        page = self.page(f"/account/sign-in/?next={path}", site=site)
        page.get_by_label("Name or e-mail address").fill(who)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**" + path.partition("?")[0] + "*")
        return page

    def clear(self) -> None:
        """Close all pages and end all answers."""
        for context in self.contexts:
            context.close()
        self.contexts.clear()
        self.provider.reset()


@contextmanager
def staged(directory: Path, browser: Browser) -> Iterator[Stage]:
    """Start the sites, until the end of the block."""
    with ExitStack() as stack:
        provider = Provider()
        provider.start()
        stack.callback(provider.stop)
        folders = [directory / "site", directory / "strict"]
        for folder in folders:
            folder.mkdir(parents=True)
        common = provider.publishes | {
            "OPENAI_PRICES": '{"scripted": {"input": 2, "output": 80}}',
            "OPENAI_TRANSCRIPTION_MODEL": "scripted-ear",
            "QUEUE_OPENAI_CHAT_CONCURRENCY": "1",
        }
        site = stack.enter_context(running(folders[0], **common, ANSWER_CACHE_SECONDS="600"))
        strict = stack.enter_context(
            running(
                folders[1],
                **common,
                LIMIT_ANONYMOUS="2 per hour",
                LIMIT_MAX_WAIT="3600",
                BUDGET_TOKENS_PER_DAY="2900",
                QUEUE_OPENAI_CHAT_SOFT_LIMIT="2",
                QUEUE_OPENAI_CHAT_HARD_LIMIT="3",
                EMAIL_HOST="127.0.0.1",
                CLIENT_URL="http://127.0.0.1",
            )
        )
        for code in (STAFF, FIGURES):
            subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=site.environment, check=True)
        strict.run(
            "from django.contrib.auth.models import User\n"
            f"User.objects.create_superuser('carol', 'carol@example.com', '{PASSWORD}')"
        )
        yield Stage(site, strict, provider, browser)
