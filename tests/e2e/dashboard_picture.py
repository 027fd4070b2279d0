"""Take the picture of the page of the queues: `python -m tests.e2e.dashboard_picture docs/dashboard.png`.

A site with real workers and scripted answers, with jobs of visitors, failed jobs, and statistics of the
hour before. Options: `--width 360 --dark`.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Playwright, expect, sync_playwright

from tests.e2e.conftest import CHROMIUM, OPTIONS
from tests.e2e.site import Site, running
from tests.provider.fixture import Provider
from tests.support.cluster import ROOT

PREPARE = """
import django
django.setup()
import random
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from queueing.control import audited
from queueing.monitoring import histogram
from queueing.models import Job, QueueMinute

User.objects.create_superuser("carol", password="of-the-tests")
random.seed(7)
now = timezone.now()
minute = now.replace(second=0, microsecond=0)

def spread(number, middle):
    counts = {}
    for _ in range(number):
        counts = histogram.merge((counts, {str(histogram.bucket(random.lognormvariate(0, 0.5) * middle)): 1}))
    return counts

for queue, most, wait, run in [("openai-chat", 9, 3, 6), ("analytics", 30, 0.02, 0.05), ("audio-processing", 3, 1, 9)]:
    for back in range(1, 60):
        done = random.randint(most // 2, most)
        QueueMinute.objects.create(queue=queue, worker="c/w", start=minute - timedelta(minutes=back), completed=done,
                             failed=int(random.random() < 0.06), waits=spread(done, wait), durations=spread(done, run))
for kind, queue, code, number, said in [
    ("chat.reply", "openai-chat", "rate_limited", 4, "The provider asked to wait for too long."),
    ("voice.transcribe", "audio-processing", "bad_audio", 2, "This recording could not be read."),
]:
    Job.objects.bulk_create(
        Job(kind=kind, queue=queue, priority=5, state="failed", error_code=code, error=said, max_attempts=3,
            attempts=3, created_at=now, finished_at=now - timedelta(minutes=7 * n)) for n in range(1, number + 1))
audited.note_group("openai-chat", "chat.reply", "rate_limited", "The quota of the plan is used up. It is renewed on Monday.", actor="dora")
audited.set_limits("large-requests", actor="dora", note="Month's end: reports first.", concurrency=4)
audited.pause("background", actor="carol", note="Titles can wait while the line is long.")
"""  # noqa: E501 (a script of its own)

QUESTIONS = 9


def ask(playwright: Playwright, site: Site) -> None:
    """The questions, each by a visitor of its own."""
    for n in range(QUESTIONS):
        visitor = playwright.request.new_context()
        answer = visitor.post(f"{site.url}/api/travel", data={"message": f"Three days in Lisbon, plan {n}?"})
        assert answer.status == 202, answer.text()
        visitor.dispose()


def main() -> None:
    """Write the picture to the named file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=1500)
    parser.add_argument("--dark", action="store_true")
    given = parser.parse_args()
    provider = Provider()
    provider.start()
    for _ in range(QUESTIONS):
        provider.script(text="One word after the other. " * 200, delay=0.2)
    model = {"OPENAI_BASE_URL": provider.base_url, "OPENAI_API_KEY": "sk-picture", "OPENAI_MODEL": "scripted"}
    with (
        tempfile.TemporaryDirectory() as directory,
        running(Path(directory), **model) as site,
        sync_playwright() as playwright,
    ):
        subprocess.run([sys.executable, "-c", PREPARE], cwd=ROOT, env=site.environment, check=True)
        ask(playwright, site)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        page = browser.new_page(
            viewport={"width": given.width, "height": given.height},
            color_scheme="dark" if given.dark else "light",
        )
        page.goto(f"{site.url}/admin/queue?queue=openai-chat")
        page.get_by_label("Name or e-mail address").fill("carol")
        page.get_by_label("Password").fill("of-the-tests")
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#live")).to_have_text("Live")
        expect(page.locator("[data-part=active] .row")).to_have_count(3)
        page.screenshot(path=given.file, full_page=True)
        browser.close()
    provider.stop()


if __name__ == "__main__":
    main()
