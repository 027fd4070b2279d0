"""What bench/streams.py prints."""

import argparse
import os
from typing import Any


def print_streams(
    given: argparse.Namespace, tokens: int, direct: dict[str, Any], through: dict[str, Any]
) -> None:
    """Print the delay of a token, and what each process used."""
    print(f"\n{given.streams:,} streams of {given.rate:g} tokens a second; load {os.getloadavg()[0]:.1f}")
    for name, figures in (("provider itself", direct), ("through Buddy", through)):
        print(f"  {name:16} p50 {figures['p50']:8.1f} ms   p99 {figures['p99']:8.1f} ms")
    print(f"  {'added':16} p50 {through['p50'] - direct['p50']:8.1f} ms   p99 "
          f"{through['p99'] - direct['p99']:8.1f} ms")  # fmt: skip
    missing = tokens - through["tokens"][0]
    print(f"  tokens missing at the slowest stream: {missing} ({'LOST' if missing else 'nothing lost'})")
    print(f"  gaps {through['gaps']}, failed {through['failed']}, finished while measured {through['over']}")
    print(f"  events {through['events_per_second']:.0f} a second")
    for name in ("worker", "web", "redis", "provider"):
        cores = through[f"{name} cores"]
        print(f"  {name:8} {cores:5.2f} cores = {cores * 1000 / given.streams:.2f} ms/s a stream, "
              f"{through[f'{name} MB']:.0f} MB")  # fmt: skip
    print(f"  {'readers':8} {through['reader_cores']:5.2f} cores")


def print_first(first: dict[str, Any]) -> None:
    """Print the time to the first token, and to what happens before it."""
    added = first["first token"]["p50"] - first["direct"]["p50"]
    print(f"\nfirst token on an idle system: added p50 {added:.1f} ms")
    for name, at in first.items():
        print(f"  {name:12} p50 {at['p50']:6.1f} ms   p99 {at['p99']:6.1f} ms")
