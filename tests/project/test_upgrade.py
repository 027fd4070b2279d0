"""An upgrade and a roll back of `make production` under load, by the steps of docs/runbooks.md (K1).

The newer release is this code with another version of a kind, one more argument, one more column and other
static files. It takes the place of the older one in the same folder, as `git checkout` does.
"""

import asyncio
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from deploy.production import units
from tests.project.production_site import Site, ask, events_of, running, visitor
from tests.project.test_make_run import copy_tree
from tests.support.valkey import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

COLUMN = '    mood = models.CharField(max_length=9, default="", db_default="")'
#: File -> what the newer release has instead of what.
CHANGES = {
    "chat/replies/reply_job.py": [
        ('@job("chat.reply", queue="openai-chat",', '@job("chat.reply", version=2, queue="openai-chat",'),
        ('answers: Reuse = "use")', 'answers: Reuse = "use", mood: str = "")'),
    ],
    "chat/conversations/questions.py": [
        ('args = {"reply_id": ids["replyId"]}', 'args = {"reply_id": ids["replyId"], "mood": "calm"}'),
    ],
    "chat/models.py": [("class Message(models.Model):", "class Message(models.Model):\n" + COLUMN)],
    "chat/static/chat/css/base.css": [("", ".newer { color: red; }\n")],
    "chat/static/chat/js/main.js": [("", "export const release = 2;\n")],
}
MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "{previous}")]
    operations = [
        migrations.AddField("message", "mood", models.CharField(max_length=9, default="", db_default=""))
    ]
"""


class Releases:
    """A folder with the older release, in whose place the newer one can be put, and back."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.older = {name: (tree / name).read_text() for name in CHANGES}
        previous = max(path.stem for path in (tree / "chat/migrations").glob("0*.py"))
        self.migration = tree / f"chat/migrations/{int(previous[:4]) + 1:04}_mood.py"
        self.text = MIGRATION.format(previous=previous)

    def put_newer(self) -> None:
        """Upgrade the files."""
        for name, changes in CHANGES.items():
            text = self.older[name]
            for old, new in changes:
                assert old in text, (name, old)
                text = text.replace(old, new, 1)
            (self.tree / name).write_text(text)
        self.migration.write_text(self.text)

    def put_older(self) -> None:
        """Roll the files back."""
        for name, text in self.older.items():
            (self.tree / name).write_text(text)
        self.migration.unlink()


class Load:
    """Visitors who ask and who open the page with all that it names, until the block ends."""

    def __init__(self, site: Site, http: aiohttp.ClientSession) -> None:
        self.site, self.http = site, http
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.jobs: list[str] = []
        self.pages = 0
        self._ended = False

    async def __aenter__(self) -> "Load":
        work = (self._questions, self._questions, self._pages)
        self._tasks = [asyncio.create_task(one()) for one in work]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._ended = True
        await asyncio.gather(*self._tasks)

    def wait_for_pages(self, number: int) -> None:
        """Wait until this number of pages was opened."""
        before = self.pages
        wait_until(lambda: self.pages >= before + number, f"{number} pages")

    async def _questions(self) -> None:
        while not self._ended:
            status, job = await ask(self.http, self.site)
            self.statuses["ask", status] += 1
            self.jobs.extend([job] if job else [])

    async def _pages(self) -> None:
        while not self._ended:
            text = await self._get("/", "page")
            for path in sorted(set(re.findall(r'(?:src|href)="(/static/[^"]+)"', text))):
                await self._get(path, path)
            self.pages += 1

    async def _get(self, path: str, name: str) -> str:
        async with self.http.get(f"{self.site.url}{path}") as answer:
            self.statuses[name, answer.status] += 1
            return await answer.text(errors="replace")


def query(environment: dict[str, str], sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a statement."""
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        return connection.execute(sql).fetchall()


def prepare(site: Site, tree: Path, commands: list[list[str]]) -> None:
    """Run commands of the unit of the migration, with the code that is there now."""
    for command in commands:
        subprocess.run(command, cwd=tree, env=site.environment(), check=True, capture_output=True)


def upgrade(site: Site, releases: Releases, load: Load) -> None:
    """Migrate while the older code runs, then the clusters, then the web processes, looking after each."""
    releases.put_newer()
    prepare(site, releases.tree, units.commands("buddy-migrate.service"))
    for cluster in site.clusters():
        site.restart_cluster(cluster)
    for port in site.web():
        site.restart_web(port)
        load.wait_for_pages(6)


def roll_back(site: Site, releases: Releases, load: Load) -> None:
    """The web processes, then the clusters, the last one when no job needs the newer code any more."""
    environment = site.environment()
    releases.put_older()
    prepare(site, releases.tree, units.commands("buddy-migrate.service")[1:])
    for port in site.web():
        site.restart_web(port)
        load.wait_for_pages(6)
    first, last = site.clusters()
    site.restart_cluster(first)
    newer = "SELECT 1 FROM queueing_job WHERE finished_at IS NULL AND kind_version = 2 LIMIT 1"
    wait_until(lambda: not query(environment, newer), "the jobs of the newer code", 60)
    site.restart_cluster(last)


async def test_upgrade_and_roll_back_under_load_lose_and_refuse_nothing(tmp_path: Path, provider):
    tree = tmp_path / "tree"
    copy_tree(tree)
    releases = Releases(tree)
    with running(tmp_path, provider, tree) as site:
        async with visitor() as http:
            async with http.get(f"{site.url}/"):
                pass
            async with Load(site, http) as load:
                await asyncio.to_thread(upgrade, site, releases, load)
                asked_by = len(load.jobs)
                await asyncio.to_thread(wait_until, lambda: len(load.jobs) > asked_by + 20, "more questions")
                await asyncio.to_thread(roll_back, site, releases, load)
                asked_by = len(load.jobs)
                await asyncio.to_thread(wait_until, lambda: len(load.jobs) > asked_by + 20, "more questions")
            assert {status for _, status in load.statuses} == {200, 202}, load.statuses
            assert len({name for name, _ in load.statuses if "/css/base." in name}) == 2
            for job in load.jobs:
                assert "chat:completed" in await events_of(http, site, job), job
        check_record(site, len(load.jobs))
    assert "Traceback" not in site.log.read_text()
    shutil.rmtree(tree)


def check_record(site: Site, asked: int) -> None:
    """Each question has one answer, of one attempt, and both releases have asked some."""
    environment = site.environment()
    jobs = query(
        environment,
        "SELECT kind_version, state, attempts, count(*) FROM queueing_job "
        "WHERE kind = 'chat.reply' GROUP BY 1, 2, 3",
    )
    assert {row[:3] for row in jobs} == {(1, "completed", 1), (2, "completed", 1)}
    assert sum(row[3] for row in jobs) == asked
    messages = "SELECT role, count(*) FROM chat_message WHERE content <> '' GROUP BY 1 ORDER BY 1"
    assert query(environment, messages) == [("assistant", asked), ("user", asked)]
