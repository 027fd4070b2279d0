"""`python -m bench.leaks [MEASURE …]`: what grows while a system works, and whether it stops growing.

jobs      20,000 answers by one worker, whose questions are stored in batches
requests  20,000 requests of 200 visitors: pages, readings, and questions, which are answered
sockets   5,000 sockets: each asks, reads its answer and goes; one in ten is cut off meanwhile

Worker, web process and store are those of `python -m bench.streams`, and so is the simulated provider. A
measure is a number of equal batches. After each of them, when nothing runs any more, this is read: the memory
that is not shared, OS threads, open files, connections to the database, and the keys of Redis that do not
expire, with all that is in them. The first half is a warm-up. Memory is flat if it grows by less than 100
bytes for each operation, or by less than a megabyte. A number is flat if it grows by less than a tenth.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from bench.process import Process, wait_for
from bench.report import three_digits
from bench.streams import ROOT, RUN, Site, free_port

from .reading import BYTES, COUNTS, Reading, read, slope

#: Measure -> operations of all batches.
MEASURES = {"jobs": 20_000, "requests": 20_000, "sockets": 5_000}
_VISITORS = 200
#: Bytes for each operation, and in total, up to which memory counts as flat.
_MOST, _NOISE = 100, 2**20
#: The share of the batches that is a warm-up.
_WARM_UP = 0.5


def _work(site: Site, measure: str, count: int) -> None:
    """Do one batch, and wait until nothing runs any more."""
    if measure == "jobs":
        site.do("make_questions", count, module="leaks")
    else:
        command = [sys.executable, "-m", "bench.leaks.load", measure, str(site.port), str(count)]
        subprocess.run([*command, str(RUN / "sessions")], cwd=ROOT, check=True)
    wait_for(lambda: not site.store.client.hlen("{buddy}:jobs"), "the jobs to end", site.workers)


def _measure(site: Site, measure: str, operations: int, batches: int) -> list[Reading]:
    readings = []
    for number in range(batches):
        _work(site, measure, operations // batches)
        readings.append(read(site, (number + 1) * (operations // batches)))
        print(f"  {readings[-1]}", file=sys.stderr, flush=True)
    return readings


def _print(measure: str, readings: list[Reading]) -> bool:
    """Print a table; return whether everything is flat."""
    settled = readings[round(len(readings) * _WARM_UP) :]
    first, last = settled[0], settled[-1]
    print(f"\n{measure}: {last.done:,} operations, the first {first.done:,} of them as a warm-up")
    print("| | after the warm-up | at the end | for each operation | |\n|---|---|---|---|---|")
    flat = True
    for name in BYTES:
        grown = slope(settled, name)
        is_flat = grown < _MOST or grown * (last.done - first.done) < _NOISE
        flat = flat and is_flat
        begin, end = (f"{three_digits(one.values[name] / 2**20)} MB" for one in (first, last))
        print(f"| {name} | {begin} | {end} | {grown:.0f} bytes | {'flat' if is_flat else 'GROWS'} |")
    for name in COUNTS:
        begin, end = first.values[name], last.values[name]
        is_flat = end <= begin * 1.1 + 2  # a pool has as many connections as it needed once
        flat = flat and is_flat
        grown = slope(settled, name)
        print(f"| {name} | {begin:.0f} | {end:.0f} | {grown:.4f} | {'flat' if is_flat else 'GROWS'} |")
    return flat


def main() -> None:
    """Measure, print, and exit with 1 if something grows."""
    parser = argparse.ArgumentParser(prog="python -m bench.leaks", description=__doc__)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(MEASURES))
    parser.add_argument("--operations", type=int, help="operations of each measure")
    parser.add_argument("--batches", type=int, default=10)
    parser.add_argument("--database", default="", metavar="URL", help="an empty database instead of SQLite")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    if unknown := set(given.measures) - set(MEASURES):
        parser.error(f"no such measure: {', '.join(sorted(unknown))} (known: {', '.join(MEASURES)})")
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir(parents=True)
    given.workers, port = 1, free_port()
    command = [sys.executable, "-m", "bench.streaming.provider", str(port), "5", "500"]
    provider = Process(command, dict(os.environ), RUN / "provider.log", ROOT)
    site = Site(port, 50, given)
    try:
        site.do("make_sessions", _VISITORS, str(RUN / "sessions"))
        found = {
            name: _measure(site, name, given.operations or MEASURES[name], given.batches)
            for name in given.measures or MEASURES
        }
    finally:
        site.stop()
        provider.stop()
    flat = [_print(name, readings) for name, readings in found.items()]
    print(f"\nload {os.getloadavg()[0]:.1f}")
    all_readings = {name: [vars(one) for one in readings] for name, readings in found.items()}
    Path(RUN / "leaks.json").write_text(json.dumps(all_readings, indent=1))
    sys.exit(0 if all(flat) else 1)


if __name__ == "__main__":
    main()
