"""Many workers and visitors: `python -m bench.simulation --load 0.5 0.8 0.95 1.1`.

The scripts of the schedule run in a real Redis, with a virtual clock. Visitors, workers and the time that
Redis needs (measured first) are simulated. A load of 1 is what all slots for answers can do.
"""

import argparse
import os

from bench.contestants import RUN
from bench.store import Store


def main() -> None:
    """Simulate each load, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.simulation", description=__doc__)
    parser.add_argument("--workers", type=int, default=100)
    parser.add_argument("--visitors", type=int, default=100_000)
    parser.add_argument("--load", type=float, nargs="+", default=[0.5, 0.8, 0.95, 1.1])
    parser.add_argument("--seconds", type=float, default=60.0, help="virtual seconds that are measured")
    parser.add_argument("--warm-up", type=float, default=20.0, help="virtual seconds before them")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    store = Store(RUN / "simulation", aof=False)
    os.environ |= {"BENCH_REDIS": store.url, "BENCH_DATABASE": str(RUN / "none")}
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.simulation.settings"
    import django

    django.setup()
    from .report import print_report
    from .run import run

    try:
        print_report(run(store.url, given), given)
    finally:
        store.process.stop()


if __name__ == "__main__":
    main()
