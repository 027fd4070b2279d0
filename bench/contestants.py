"""The contestants: how each is installed and started, and how the store shows its progress."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .process import Process
from .store import Store

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
VAR = ROOT / "var" / "bench"
NODE, CELERY, ASYNCIO = VAR / "node", VAR / "celery", VAR / "asyncio"
RUN = VAR / "run"
STAMPS = RUN / "stamps"


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A queue to measure. Its program has the commands that ours.py lists."""

    name: str
    program: list[str]
    waiting: Callable[[Any], int]
    """Return the number of jobs that no worker has claimed, for a Redis client."""
    unfinished: Callable[[Any], int]
    """Return the number of unfinished jobs, for a Redis client."""
    slots: int = 1000
    """Jobs at the same time in the drain: the fastest number in a series of trials."""
    processes: int = 1
    """Worker processes in the drain: the fastest number. All other measures use one."""
    cwd: Path = ROOT
    record: bool = False

    def prepare(self, store: Store) -> None:
        """Delete all data."""
        store.client.flushall()
        STAMPS.unlink(missing_ok=True)
        if self.record:
            for path in RUN.glob("db.sqlite3*"):
                path.unlink()
            self.run_command(store, "prepare")

    def _env(self, store: Store) -> dict[str, str]:
        return os.environ | {
            "BENCH_REDIS": store.url,
            "BENCH_STAMPS": str(STAMPS),
            "BENCH_NODE": str(NODE),
            "BENCH_DATABASE": str(RUN / "db.sqlite3"),
        }

    def run_command(self, store: Store, *command: object) -> str:
        """Run one command to its end. Return the last word of its output."""
        argv = [*self.program, *map(str, command)]
        done = subprocess.run(argv, env=self._env(store), cwd=self.cwd, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{argv} failed:\n{done.stderr[-2000:]}")
        return (done.stdout.split() or [""])[-1]

    def work(self, store: Store, *, slots: int, processes: int = 1) -> Process:
        """Start the workers."""
        argv = [*self.program, "work", str(slots), str(processes)]
        return Process(argv, self._env(store), RUN / f"{self.name}.log", self.cwd)


OURS = Contestant(
    name="ours",
    program=[sys.executable, "-m", "bench.ours"],
    waiting=lambda r: r.zcard("{bench}:q:bench:waiting"),
    unfinished=lambda r: r.hlen("{bench}:jobs"),
    processes=2,
    record=True,
)


def _node(library: str) -> Contestant:
    return Contestant(
        name={"bullmq": "BullMQ", "bull": "Bull"}[library],
        program=["node", str(HERE / "peers" / "node.mjs"), library],
        waiting=lambda r: r.llen("bull:bench:wait"),
        unfinished=lambda r: r.llen("bull:bench:wait") + r.llen("bull:bench:active"),
        slots=100,
    )


BULLMQ, BULL = _node("bullmq"), _node("bull")
CELERY_PEER = Contestant(
    name="Celery",
    program=[str(CELERY / "bin" / "python"), "celery_app.py"],
    waiting=lambda r: r.llen("celery"),
    unfinished=lambda r: r.llen("celery") + r.hlen("unacked"),
    slots=2,
    processes=2,
    cwd=HERE / "peers",
)


def _asyncio(name: str, waiting: Callable[[Any], int], unfinished: Callable[[Any], int]) -> Contestant:
    program = [str(ASYNCIO / "bin" / "python"), str(HERE / "peers" / "asyncio_app.py"), name.lower()]
    return Contestant(name=name, program=program, waiting=waiting, unfinished=unfinished)


SAQ = _asyncio("SAQ", lambda r: r.llen("saq:bench:queued"), lambda r: r.zcard("saq:bench:incomplete"))
ARQ = _asyncio(
    "arq",
    lambda r: r.zcard("arq:queue") - len(r.keys("arq:in-progress:*")),
    lambda r: r.zcard("arq:queue"),
)


def install() -> list[Contestant]:
    """Return the contestants that can be installed on this machine. Print a line for each other one."""
    RUN.mkdir(parents=True, exist_ok=True)
    found = [OURS]
    if not shutil.which("node") or not shutil.which("npm"):
        print("BullMQ and Bull are skipped: node and npm are not on PATH")
    elif _installed(NODE, HERE / "peers" / "package.json", _npm):
        found += [BULLMQ, BULL]
    if _installed(CELERY, HERE / "peers" / "requirements.txt", _pip):
        found.append(CELERY_PEER)
    if _installed(ASYNCIO, HERE / "peers" / "asyncio-requirements.txt", _pip):
        found += [SAQ, ARQ]
    return found


def _installed(directory: Path, wanted: Path, how: Callable[[Path, Path], None]) -> bool:
    """Install the list `wanted` unless it is installed. Return False and print the reason when this fails."""
    stamp = directory / "installed"
    if stamp.is_file() and stamp.read_text() == wanted.read_text():
        return True
    print(f"installing {wanted.relative_to(ROOT)} into {directory.relative_to(ROOT)}")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        how(directory, wanted)
    except (subprocess.CalledProcessError, OSError) as exc:
        print(f"these peers are skipped: {exc}")
        return False
    stamp.write_text(wanted.read_text())
    return True


def _npm(directory: Path, wanted: Path) -> None:
    shutil.copy(wanted, directory / "package.json")
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=directory, check=True)


def _pip(directory: Path, wanted: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
    pip = [str(directory / "bin" / "python"), "-m", "pip", "install", "-qq", "--requirement", str(wanted)]
    subprocess.run(pip, check=True)
