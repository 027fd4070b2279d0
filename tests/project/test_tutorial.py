"""docs/tutorial.md, followed word for word with the package in a new folder (E22)."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from deploy.engine import build
from tests.support.cluster import ROOT
from tests.support.valkey import Valkey, free_port, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PAGE = (ROOT / "docs" / "tutorial.md").read_text()
STEP = re.compile(r"<!-- (.+?): (.+?) -->\n```(?:sh|python)\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
#: Commands that run until Ctrl-C, each in a terminal of its own.
SERVERS = ("runserver", "qcluster")


class Reader:
    """A person with terminals, who does what the page says. The port is another one: 8000 may be taken."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment, self.port = folder, environment, free_port()
        self.prelude = ""
        """What each later command of the same terminal needs: where it is, and in which environment."""
        self.servers: list[subprocess.Popen[bytes]] = []
        self.logs: list[IO[bytes]] = []

    def do(self, kind: str, where: str, block: str, shown: str) -> None:
        """Do one step."""
        if kind == "run by" and "test_tutorial" in where:
            self.run(block.replace(":8000/", f":{self.port}/"), shown.strip())
        elif kind in ("new file", "at the end of"):
            with (self.folder / "shop" / where).open("w" if kind == "new file" else "a") as file:
                file.write(block)

    def run(self, block: str, shown: str) -> None:
        """Run the commands, the last of them until its output is as shown. A server keeps running."""
        block = block.replace("createsuperuser", "createsuperuser --noinput")
        *first, last = block.splitlines(keepends=True)
        said = self.say("".join(first))
        self.prelude += "".join(line for line in first if line.startswith(("cd ", ". ")))
        if last.split()[-1] in SERVERS:
            self.serve(last.replace("runserver", f"runserver {self.port}"))
            assert shown in said
        else:
            wait_until(lambda: shown in self.say(last), f"{shown!r} of {last}", 60)

    def say(self, commands: str) -> str:
        """Return the output of the commands, which must succeed."""
        script = f"set -e\n{self.prelude}{commands}"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder / "buddy",
            env=self.environment,
            text=True,
            capture_output=True,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        return done.stdout

    def serve(self, command: str) -> None:
        """Start a command in the background."""
        self.logs.append((self.folder / f"log{len(self.logs)}").open("wb"))
        script = f"{self.prelude}exec {command}"
        output = {"stdout": self.logs[-1], "stderr": subprocess.STDOUT}
        started = subprocess.Popen(
            ["bash", "-c", script], cwd=self.folder / "buddy", env=self.environment, **output
        )
        self.servers.append(started)
        if "runserver" in command:
            wait_until(lambda: self.answers(), "the web server", 60)

    def answers(self) -> bool:
        """Return whether the web server answers."""
        asked = ["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{self.port}/admin/login/"]
        return subprocess.run(asked).returncode == 0

    def stop(self) -> None:
        """Press Ctrl-C in all terminals."""
        for server in self.servers:
            server.send_signal(signal.SIGINT)
        for server in self.servers:
            server.wait()
        for log in self.logs:
            log.close()


@pytest.fixture
def reader(tmp_path: Path, valkey: Valkey) -> Iterator[Reader]:
    """A reader in an empty folder, with the package built."""
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    assert build.build(tmp_path / "buddy" / "dist") == 0
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO"))}
    kept["PATH"] = f"{Path(sys.executable).resolve().parent}:{os.environ['PATH']}"
    kept |= {"REDIS_URL": valkey.url, "PIP_FIND_LINKS": str(tmp_path / "buddy" / "dist")}
    kept |= {f"DJANGO_SUPERUSER_{name}": "ada@example.com" for name in ("USERNAME", "EMAIL", "PASSWORD")}
    found = Reader(tmp_path, kept)
    yield found
    found.stop()


def test_reader_who_follows_the_page_has_a_running_job(reader: Reader):
    steps = STEP.findall(PAGE)
    assert PAGE.count("```") == sum(
        2 + 2 * bool(shown) for *_, shown in steps
    )  # nothing of the page is left out
    for kind, where, block, shown in steps:
        reader.do(kind, where, block, shown)
