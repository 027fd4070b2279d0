"""The tables of a simulation."""

import argparse
import json
import statistics
import time
from collections.abc import Iterable, Sequence
from typing import Any

from bench.contestants import VAR
from bench.report import three_digits

from .load import KINDS, WORK
from .redis_server import ServiceTime
from .run import Run

#: Tokens a second of an answer, and the seconds between two rounds in which a worker sends what has come.
TOKENS, ROUNDS = 20, (0.01, 0.05)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values does not exceed; 0 without any."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def seconds(value: float) -> str:
    """Return a time in ms below a second, else in s."""
    return f"{1000 * value:.3g} ms" if value < 1 else f"{three_digits(value)} s"


def print_table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print a Markdown table."""
    head = list(head)
    print("\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")


def print_report(found: tuple[dict[str, ServiceTime], list[Run]], given: argparse.Namespace) -> None:
    """Print the tables, and keep all figures as JSON."""
    times, runs = found
    print(f"{given.workers} workers, {given.visitors:,} visitors, {given.seconds:g} s of each load")
    micro = [(name, f"{1e6 * t.call:.0f}", f"{1e6 * t.job:.1f}") for name, t in times.items()]
    print_table(("call", "Redis, µs", "for each job in it"), micro)
    head = ("load", "messages/s", "of a visitor, every", "active", "waiting at the end", "submission, p95")
    print_table(head, [_load_row(run, given.visitors) for run in runs])
    head = ("load", "queue", "visitors", "started", "wait p50", "p95", "p99", "refused")
    print_table(head, [row for run in runs for row in _wait_rows(run)])
    names = [name for name in times if name != "append"]
    head = ("load", *names, "all", "really used", "text of answers")
    print_table(head, [_redis_row(run, names, times["append"], given.workers) for run in runs])
    calls = [(f"{run.load:g}", *(f"{run.calls.get(name, 0):,.0f}" for name in names)) for run in runs]
    print_table(("load", *(f"{name}/s" for name in names)), calls)
    path = VAR / f"simulation-{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([_as_json(run) for run in runs], indent=1))
    print(f"\nall figures: {path}")


def _load_row(run: Run, visitors: int) -> tuple[str, ...]:
    figures = run.figures
    return (
        f"{run.load:g}",
        f"{run.rate:,.0f}",
        seconds(visitors / run.rate),
        f"{statistics.fmean(figures.active):,.0f}",
        f"{figures.waiting[-1]:,}",
        seconds(quantile(figures.submit, 0.95)),
    )


def _wait_rows(run: Run) -> Iterable[tuple[str, ...]]:
    for work in WORK:
        for kind in KINDS if work.queue == "chat" else KINDS[:1]:
            waits = run.figures.waits[work.queue, kind.name]
            sent = run.figures.sent[kind.name]
            refused = run.figures.refused[kind.name] / sent if sent else 0.0
            yield (
                f"{run.load:g}",
                work.queue,
                kind.name,
                f"{len(waits):,}",
                *(seconds(quantile(waits, share)) for share in (0.5, 0.95, 0.99)),
                f"{refused:.1%}",
            )


def _redis_row(run: Run, names: list[str], append: ServiceTime, workers: int) -> tuple[str, ...]:
    active = statistics.fmean(run.figures.active) / workers
    text = [_text_share(active, append, workers, pause) for pause in ROUNDS]
    return (
        f"{run.load:g}",
        *(f"{run.busy.get(name, 0):.1%}" for name in names),
        f"{sum(run.busy.values()):.0%}",
        f"{run.cpu:.0%}",
        f"{text[0]:.0%} to {text[1]:.0%}",
    )


def _text_share(active: float, append: ServiceTime, workers: int, pause: float) -> float:
    """Return the share of the time that Redis stores and sends the text of answers."""
    pieces = active * min(1.0, TOKENS * pause)
    return workers / pause * (append.call + append.job * pieces)


def _as_json(run: Run) -> dict[str, Any]:
    waits = {
        f"{queue}, {kind}": [len(found), *(quantile(found, share) for share in (0.5, 0.95, 0.99))]
        for (queue, kind), found in run.figures.waits.items()
    }
    return {
        "load": run.load,
        "rate": run.rate,
        "waits": waits,
        "busy": run.busy,
        "calls": run.calls,
        "cpu": run.cpu,
        "took": run.took,
        "refused": dict(run.figures.refused),
    }
