"""What a run does: the command line, and the faults that it selects."""

import argparse
import random
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Literal

from tests.chaos.faults import FAULTS, Fault


@dataclass(frozen=True, kw_only=True)
class Options:
    """The command line."""

    seed: int
    minutes: float = 2.0
    jobs: int = 600
    database: Literal["sqlite", "postgres"] = "sqlite"
    redis: Literal["one", "cluster"] = "one"
    faults: tuple[str, ...] = ("*",)
    """Patterns of names of faults."""
    without: tuple[str, ...] = ()
    only: tuple[int, ...] = ()
    """The numbers of the planned faults to apply; empty: all."""
    visitors: int = 24
    settle: float = 120.0
    """Maximum seconds after the last fault until everything has ended."""

    def chosen(self) -> list[Fault]:
        """Return the faults of this run, by name."""
        return [
            fault
            for fault in sorted(FAULTS.values(), key=lambda fault: fault.name)
            if fault.where in ("", self.database, self.redis)
            and any(fnmatch(fault.name, pattern) for pattern in self.faults)
            and not any(fnmatch(fault.name, pattern) for pattern in self.without)
        ]

    def command(self, *, only: Sequence[int] = (), seconds: float = 0.0) -> str:
        """Return the command that repeats this run, or its first seconds with only some of its faults.

        The plan of a shorter run is the beginning of the plan of a longer one.
        """
        minutes = min(self.minutes, round(seconds / 60, 2)) if seconds else self.minutes
        jobs = max(1, round(self.jobs * minutes / self.minutes))
        words = ["--seed", self.seed, "--minutes", f"{minutes:g}", "--jobs", jobs]
        words += ["--database", self.database, "--redis", self.redis, "--visitors", self.visitors]
        words += [] if self.faults == ("*",) else ["--faults", ",".join(self.faults)]
        words += ["--without", ",".join(self.without)] if self.without else []
        words += ["--only", ",".join(map(str, only))] if only else []
        return f'make chaos ARGS="{shlex.join(map(str, words))}"'


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Return the options of the command line. `--list` prints the faults and exits."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 10_000))
    parser.add_argument("--minutes", type=float, default=2.0, help="length of the load (default: 2)")
    parser.add_argument("--jobs", type=int, default=0, help="default: 300 a minute")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--redis", choices=["one", "cluster"], default="one")
    parser.add_argument("--faults", default="*", help="names or patterns, separated by commas; `none`: none")
    parser.add_argument("--without", default="", help="names or patterns to leave out")
    parser.add_argument("--only", default="", help="numbers of planned faults, to repeat a part of a run")
    parser.add_argument("--visitors", type=int, default=24)
    parser.add_argument("--settle", type=float, default=120.0, help="seconds for everything to end")
    parser.add_argument("--list", action="store_true", help="print all faults")
    given = parser.parse_args(arguments)
    if given.list:
        for fault in sorted(FAULTS.values(), key=lambda fault: fault.name):
            print(f"{fault.name:22} {fault.where:9} {fault.doc}")
        parser.exit()
    return Options(
        seed=given.seed,
        minutes=given.minutes,
        jobs=given.jobs or round(given.minutes * 300),
        database=given.database,
        redis=given.redis,
        faults=tuple(given.faults.split(",")),
        without=tuple(filter(None, given.without.split(","))),
        only=tuple(int(number) for number in given.only.split(",") if number),
        visitors=given.visitors,
        settle=given.settle,
    )
