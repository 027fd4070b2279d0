"""`make run` as a newcomer meets it: a copy of the tree, nothing installed in it, and one command."""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from tests.support.valkey import free_port, wait_until

ROOT = Path(__file__).resolve().parents[2]
#: What of our environment a newcomer has, too. Names of services or settings are not among it.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
KEPT_PREFIXES = ("PIP_", "SSL_", "HTTP", "http")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that git knows or would add, in a directory of their own."""
    target = tmp_path_factory.mktemp("clone")
    names = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(names, cwd=ROOT, text=True).split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


class Run:
    """One `make run` in the clone, in a session of its own as a terminal gives it."""

    def __init__(self, clone: Path, **environment: str) -> None:
        self.clone = clone
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = clone / "var" / "terminal"
        self.log.parent.mkdir(exist_ok=True)
        self.began = time.monotonic()
        self.ready_after = 0.0
        self.make = start(clone, self.log, PORT=str(self.port), **environment)

    @property
    def output(self) -> str:
        """What the terminal shows."""
        return self.log.read_text()

    @property
    def supervisor(self) -> int:
        """Its process id."""
        return int(json.loads((self.clone / "var" / "buddy.lock").read_text())[0])

    def wait_ready(self, timeout: float) -> float:
        """Seconds from the start until it says that it is ready."""

        def ready() -> bool:
            if self.make.poll() is not None:
                pytest.fail(f"make run ended:\n{self.output}")
            return "is ready at" in self.output

        wait_until(ready, "the address", timeout)
        took = time.monotonic() - self.began
        wait_until(lambda: is_ready(self), "readiness")
        return took

    def get(self, path: str) -> dict:
        """The JSON at a path."""
        with urllib.request.urlopen(self.url + path) as answer:
            return json.load(answer)

    def wait_ended(self) -> int:
        """Exit code of make; fails unless every process in the clone has ended."""
        code = self.make.wait(timeout=60)
        wait_until(lambda: not processes_in(self.clone), f"{processes_in(self.clone)} to end", 15)
        return code


@contextmanager
def running(clone: Path) -> Iterator[Run]:
    """A `make run` that is ready; ended in any case."""
    started = Run(clone)
    try:
        started.ready_after = started.wait_ready(timeout=500)
        yield started
    finally:
        for pid in processes_in(clone):
            with suppress(ProcessLookupError):  # the watchdog ends them, too
                os.kill(pid, signal.SIGKILL)
        started.make.wait(10)


@pytest.fixture
def run(clone: Path) -> Iterator[Run]:
    """A `make run` that is ready, for one test."""
    with running(clone) as started:
        yield started


def start(clone: Path, log: Path, **environment: str) -> subprocess.Popen[bytes]:
    """`make run` with a newcomer's environment and that."""
    kept = {n: v for n, v in os.environ.items() if n in KEPT or n.startswith(KEPT_PREFIXES)}
    with log.open("wb") as out:
        return subprocess.Popen(
            ["make", "run"],
            cwd=clone,
            env=kept | environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def processes_in(directory: Path) -> list[int]:
    """Every living process that runs in, or names, the directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes() + os.fsencode(os.readlink(entry / "cwd"))
        except OSError:  # it has ended, or is a zombie, which has no directory
            continue
        if os.fsencode(directory) in words:
            found.append(int(entry.name))
    return found


def ask(url: str) -> dict:
    """Send a message to a companion as a script would, and wait for its job to end."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    message = json.dumps({"message": "Name one city in Italy."}).encode()
    request = urllib.request.Request(f"{url}/api/travel", message, {"Content-Type": "application/json"})
    with opener.open(request) as answer:
        assert answer.status == 202
        accepted = json.load(answer)

    def ended() -> dict | None:
        with opener.open(f"{url}/api/jobs/{accepted['jobId']}") as answer:
            job = json.load(answer)
        return job if job["status"] in ("completed", "failed", "cancelled") else None

    return wait_until(ended, "the answer", 100)


def test_one_command_and_a_real_model_answers(run: Run):
    assert run.get("/readyz")["checks"]["model"].startswith("demo")
    job = ask(run.url)
    assert job["status"] == "completed", job
    assert job["response"]
    assert "Traceback" not in run.output


def test_voice_comes_up_once_all_else_is_there(run: Run):
    wait_until(lambda: "ear is embedded" in run.output, "the ear", 300)
    assert run.output.index("Buddy is ready at") < run.output.index("ear is embedded")
    assert run.get("/api/voice")["ready"] is True
    assert run.get("/api/voice")["demo"] is True
    assert "Traceback" not in run.output


def test_a_second_one_beside_it_says_so_and_harms_nothing(run: Run):
    log = run.clone / "var" / "second"
    second = start(run.clone, log, PORT=str(free_port()))
    assert second.wait(30) != 0
    told = log.read_text()
    assert f"Buddy runs already at {run.url} (pid {run.supervisor})" in told
    assert "Traceback" not in told
    assert ask(run.url)["status"] == "completed"


def test_a_later_start_takes_less_than_ten_seconds(clone: Path):
    fastest = 60.0
    for _ in range(3):  # whatever else a busy machine does is not what is measured
        with running(clone) as again:
            assert "installing" not in again.output
            fastest = min(fastest, again.ready_after)
            os.kill(again.supervisor, signal.SIGTERM)
            again.wait_ended()
        if fastest < 10:
            break
    assert fastest < 10


def test_ctrl_c_leaves_no_process_behind(run: Run):
    os.killpg(run.make.pid, signal.SIGINT)
    run.wait_ended()
    assert "stopped" in run.output
    assert not (run.clone / "var" / "local.env").exists()
    assert "Traceback" not in run.output


def test_a_killed_supervisor_leaves_no_process_behind_and_the_next_start_is_a_normal_one(run: Run):
    os.kill(run.supervisor, signal.SIGKILL)
    run.wait_ended()
    with running(run.clone) as again:
        assert ask(again.url)["status"] == "completed"


def test_a_part_that_dies_is_said_so_and_comes_back(run: Run):
    server = next(pid for pid in processes_in(run.clone) if b"valkey-server" in cmdline(pid))
    os.kill(server, signal.SIGKILL)
    wait_until(lambda: "valkey ended (SIGKILL); starting it again" in run.output, "the news")
    wait_until(lambda: is_ready(run), "readiness again")
    assert ask(run.url)["status"] == "completed"


def cmdline(pid: int) -> bytes:
    """The command of a process."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def is_ready(run: Run) -> bool:
    """What `/readyz` says."""
    try:
        return run.get("/readyz")["ready"]
    except urllib.error.HTTPError:
        return False
