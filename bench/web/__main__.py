"""`python -m bench.web`: requests a second of the site, divided by those of a bare view on the same server.

The load runs on the same machine, over connections that are kept. Limits, titles and the answer cache are
off. The workers are stopped, so accepted messages only wait in line.
"""

import argparse
import json
import os
import statistics
import sys
import uuid
from pathlib import Path
from typing import Any, Protocol

from bench.process import Process, wait_for
from bench.report import three_digits
from bench.streams import ROOT, RUN, Site, free_port

from .load import Figures, Make, measure, request

#: Number of visitors. Each may have 50 messages in line.
_VISITORS = 1000
#: A token as Django makes them. The header must repeat that of the cookie.
_CSRF = "x" * 32


def _ask(visitors: list[str]) -> Make:
    headers = [f"X-CSRFToken: {_CSRF}"]

    def make(number: int) -> bytes:
        cookie = f"sessionid={visitors[number % len(visitors)]}; csrftoken={_CSRF}"
        body = {"message": f"Question {number}", "requestId": str(uuid.uuid4())}
        return request(
            "POST", "/api/corporate", cookie=cookie, headers=headers, body=json.dumps(body).encode()
        )

    return make


def _same(data: bytes) -> Make:
    return lambda _: data


#: Name of a measure -> the peer it is divided by, and the mark.
MEASURES = {
    "healthz": ("bare", 0.8),
    "queue status": ("bare", 0.5),
    "page": ("bare page", 0.5),
    "accepted message": ("bare", 0.4),
}


class Server(Protocol):
    """A web server that is measured."""

    port: int
    web: Process


class Bare:
    """The web server of the bare views."""

    def __init__(self, port: int) -> None:
        self.port = port
        env = os.environ | {"BENCH_TEMPLATES": str(RUN / "templates")}
        command = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), "bench.web.bare:application"]
        self.web = Process(command, env, RUN / "bare.log", ROOT)


def _measure_all(site: Site, bare: Bare, given: argparse.Namespace) -> dict[str, Figures]:
    visitors = (RUN / "sessions").read_text().split()
    cookie = f"sessionid={visitors[0]}"
    requests: dict[str, tuple[Server, Make, int]] = {
        "bare": (bare, _same(request("GET", "/bare")), 200),
        "healthz": (site, _same(request("GET", "/healthz")), 200),
        "queue status": (site, _same(request("GET", "/api/queue/status", cookie=cookie)), 200),
        "bare page": (bare, _same(request("GET", "/page")), 200),
        "page": (site, _same(request("GET", "/", cookie=cookie)), 200),
        "accepted message": (site, _ask(visitors), 202),
    }
    found = {}
    for name, (server, make, status) in requests.items():
        before = server.web.cpu()
        figures = measure(
            server.port, make, seconds=given.seconds, connections=given.connections, status=status
        )
        figures.cpu = server.web.cpu() - before
        found[name] = figures
    return found


def _run(given: argparse.Namespace) -> list[dict[str, Figures]]:
    site = Site(free_port(), 10, given)
    (RUN / "templates").mkdir(exist_ok=True)
    page = RUN / "templates" / "page.html"
    page.write_text("<p>" + "x" * 12_000 + "</p>")
    bare = Bare(free_port())
    try:
        wait_for(lambda: _answers(bare.port), "the bare server", bare.web)
        site.do("make_sessions", _VISITORS, str(RUN / "sessions"))
        site.do("hold", True)
        _measure_all(site, bare, argparse.Namespace(seconds=0.5, connections=2))  # caches are warm
        return [_measure_all(site, bare, given) for _ in range(given.repeat)]
    finally:
        site.stop()
        bare.web.stop()


def _answers(port: int) -> bool:
    try:
        return bool(measure(port, _same(request("GET", "/bare")), seconds=0.01, connections=1).times)
    except OSError:
        return False


def _median(rounds: list[dict[str, Figures]], name: str, of: str) -> float:
    return statistics.median(getattr(found[name], of) for found in rounds)


def _ratio(rounds: list[dict[str, Figures]], name: str, peer: str, of: str) -> float:
    return statistics.median(getattr(found[name], of) / getattr(found[peer], of) for found in rounds)


def _line(rounds: list[dict[str, Figures]], name: str) -> dict[str, Any]:
    """Return the medians of one measure. On a busy machine `cpu ratio` says more than `ratio`."""
    line: dict[str, Any] = {of: _median(rounds, name, of) for of in ("rate", "median", "cost")}
    if name in MEASURES:
        peer, line["mark"] = MEASURES[name]
        line |= {"peer": peer, "ratio": _ratio(rounds, name, peer, "rate")}
        line["cpu ratio"] = 1 / _ratio(rounds, name, peer, "cost")
    return line


def _print(result: dict[str, dict[str, Any]]) -> None:
    print("| measure | a second | p50 ms | CPU ms | a second ÷ peer | peer's CPU ÷ ours | mark |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, line in result.items():
        own = " | ".join(three_digits(line[of]) for of in ("rate", "median", "cost"))
        ratios = "| | "
        if "peer" in line:
            ratios = f"{line['ratio']:.2f} ({line['peer']}) | {line['cpu ratio']:.2f} | {line['mark']:g}"
        print(f"| {name} | {own} | {ratios} |")


def main() -> None:
    """Measure the site and the bare views in turn, and print the medians and ratios."""
    parser = argparse.ArgumentParser(prog="python -m bench.web", description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--connections", type=int, default=8)
    given = parser.parse_args()
    given.workers = 1
    RUN.mkdir(parents=True, exist_ok=True)
    for old in RUN.glob("db.sqlite3*"):
        old.unlink()
    rounds = _run(given)
    result = {name: _line(rounds, name) for name in rounds[0]}
    print(f"{given.connections} connections, median of {given.repeat}; load {os.getloadavg()[0]:.1f}")
    _print(result)
    Path(RUN / "web.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
