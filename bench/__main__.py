"""`python -m bench [MEASURE …]`: measure the engine and its peers, and print the medians."""

import argparse
import json
import os
import platform
import time
from types import ModuleType

from . import drain, latency, scale, sleepers, submit
from .contestants import RUN, VAR, Contestant, install
from .report import table, three_digits
from .store import Store

MEASURES = {"drain": drain, "sleepers": sleepers, "latency": latency, "submit": submit, "scale": scale}


def main() -> None:
    """Run the named measures, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(MEASURES))
    parser.add_argument(
        "--repeat", type=int, default=5, help="number of rounds; each round runs all contestants"
    )
    parser.add_argument("--quick", action="store_true", help="run a few jobs once, to check that it works")
    parser.add_argument("--aof", action="store_true", help="the store keeps an append-only file (everysec)")
    parser.add_argument("--only", action="append", default=[], help="name of a contestant; can be repeated")
    given = parser.parse_args()
    if unknown := set(given.measures) - set(MEASURES):
        parser.error(f"no such measure: {', '.join(sorted(unknown))} (known: {', '.join(MEASURES)})")
    contestants = [one for one in install() if not given.only or one.name in given.only]
    store = Store(RUN / "store", aof=given.aof)
    machine = f"{store.version}, Python {platform.python_version()}, {os.cpu_count()} cores"
    print(machine, "with AOF" if given.aof else "without AOF")
    report = {"machine": machine, "aof": given.aof, "at": time.time(), "measures": {}}
    try:
        for name in given.measures or MEASURES:
            report["measures"][name] = run(MEASURES[name], contestants, store, given)
    finally:
        store.process.stop()
    path = VAR / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.write_text(json.dumps(report, indent=1))
    print(f"\nall rounds: {path}")


def run(
    module: ModuleType, contestants: list[Contestant], store: Store, given: argparse.Namespace
) -> dict[str, object]:
    """Run all rounds of one measure and print its table. Return the figures of each round."""
    count, rounds = (module.QUICK, 1) if given.quick else (module.COUNT, given.repeat)
    load, found = os.getloadavg()[0], {}
    for _ in range(rounds):
        for contestant in contestants:
            if contestant.record or contestant.name in module.PEERS:
                figures = module.measure(contestant, store, count)
                found.setdefault(contestant.name, []).append(figures)
                print(
                    f"  {contestant.name}: " + ", ".join(f"{k} {three_digits(v)}" for k, v in figures.items())
                )
    print(f"\n{module.TITLE.format(count=count)}; median of {rounds}; load before {load:.1f}")
    print(table(module.COLUMNS, found))
    return {"count": count, "load": load, "rounds": found}


if __name__ == "__main__":
    main()
