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
from typing import Any

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


def _bare(port: int) -> Process:
    env = os.environ | {"BENCH_TEMPLATES": str(RUN / "templates")}
    command = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), "bench.web.bare:application"]
    return Process(command, env, RUN / "bare.log", ROOT)


def _measure_all(site: Site, bare: int, given: argparse.Namespace) -> dict[str, Figures]:
    visitors = (RUN / "sessions").read_text().split()
    cookie = f"sessionid={visitors[0]}"
    requests: dict[str, tuple[int, Make, int]] = {
        "bare": (bare, _same(request("GET", "/bare")), 200),
        "healthz": (site.port, _same(request("GET", "/healthz")), 200),
        "queue status": (site.port, _same(request("GET", "/api/queue/status", cookie=cookie)), 200),
        "bare page": (bare, _same(request("GET", "/page")), 200),
        "page": (site.port, _same(request("GET", "/", cookie=cookie)), 200),
        "accepted message": (site.port, _ask(visitors), 202),
    }
    return {
        name: measure(port, make, seconds=given.seconds, connections=given.connections, status=status)
        for name, (port, make, status) in requests.items()
    }


def _run(given: argparse.Namespace) -> list[dict[str, Figures]]:
    site, bare_port = Site(free_port(), 10, given), free_port()
    (RUN / "templates").mkdir(exist_ok=True)
    bare = _bare(bare_port)
    try:
        wait_for(lambda: _answers(bare_port), "the bare server", bare)
        site.do("make_sessions", _VISITORS, str(RUN / "sessions"))
        site.do("hold", True)
        page = RUN / "templates" / "page.html"
        page.write_text("<p>" + "x" * 12_000 + "</p>")
        _measure_all(site, bare_port, argparse.Namespace(seconds=0.5, connections=2))  # caches are warm
        return [_measure_all(site, bare_port, given) for _ in range(given.repeat)]
    finally:
        site.stop()
        bare.stop()


def _answers(port: int) -> bool:
    try:
        return bool(measure(port, _same(request("GET", "/bare")), seconds=0.01, connections=1).times)
    except OSError:
        return False


def _median(rounds: list[dict[str, Figures]], name: str, of: str) -> float:
    return statistics.median(getattr(found[name], of) for found in rounds)


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
    print(f"{given.connections} connections, median of {given.repeat}; load {os.getloadavg()[0]:.1f}")
    print("| measure | a second | p50 ms | ÷ peer | mark |\n| --- | --- | --- | --- | --- |")
    result: dict[str, Any] = {}
    for name in rounds[0]:
        rate, median = _median(rounds, name, "rate"), _median(rounds, name, "median")
        peer, mark = MEASURES.get(name, ("", 0.0))
        ratio = statistics.median(found[name].rate / found[peer].rate for found in rounds) if peer else 0.0
        shown = f"{ratio:.2f} ({peer}) | {mark:g}" if peer else " | "
        print(f"| {name} | {three_digits(rate)} | {three_digits(median)} | {shown} |")
        result[name] = {"rate": rate, "p50": median, "ratio": ratio}
    Path(RUN / "web.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
