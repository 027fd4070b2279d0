"""`python -m bench.web`: requests a second of the site, divided by those of a bare view on the same server.

The load runs on the same machine, over connections that are kept. Limits, titles and the answer cache are
off. The workers are stopped, so accepted messages only wait in line.
"""

import argparse
import json
import os
import socket
import statistics
import sys
import uuid
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from bench.process import Process, wait_for
from bench.report import three_digits
from bench.streams import ROOT, RUN, Site, free_port

from .load import Figures, Make, measure, network, request
from .socket_load import measure_sockets

#: Number of visitors. Each may have 50 messages in line.
_VISITORS = 1000
#: A token as Django makes them. The header must repeat that of the cookie.
_CSRF = "x" * 32


def _ask(visitors: list[str]) -> Make:
    def make(number: int) -> bytes:
        visitor = number % len(visitors)
        cookie = f"sessionid={visitors[visitor]}; csrftoken={_CSRF}"
        headers = [f"X-CSRFToken: {_CSRF}", network(visitor)]
        request_id = uuid.uuid4().hex
        body = {"message": f"Question {request_id}", "requestId": request_id}
        return request(
            "POST", "/api/corporate", cookie=cookie, headers=headers, body=json.dumps(body).encode()
        )

    return make


def _visit(visitors: list[str]) -> Make:
    return lambda number: request("GET", "/", cookie=f"sessionid={visitors[number % len(visitors)]}")


def _same(data: bytes) -> Make:
    return lambda _: data


#: Name of a measure -> the peers it is divided by, each with the mark, if there is one.
MEASURES: dict[str, dict[str, float | None]] = {
    "healthz": {"bare": 0.8},
    "queue status": {"bare": 0.5},
    "page": {"bare page": 0.5},
    "page again": {"bare page": 0.5},
    "accepted message": {"bare": 0.4},
    "message on a socket": {"bare": 0.5, "bare socket": None},
}
#: Number of sockets.
_SOCKETS = 100


class Server(Protocol):
    """A web server that is measured: its processes, by their ports."""

    webs: dict[int, Process]


def _cpu(server: Server) -> float:
    return sum(web.cpu() for web in server.webs.values())


class Bare:
    """The web server of the bare views."""

    def __init__(self, processes: int) -> None:
        env = os.environ | {"BENCH_TEMPLATES": str(RUN / "templates")}
        self.webs = {}
        for port in (free_port() for _ in range(processes)):
            command = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port)]
            self.webs[port] = Process([*command, "bench.web.bare:application"], env, RUN / "bare.log", ROOT)

    def stop(self) -> None:
        """Stop all processes."""
        for web in self.webs.values():
            web.stop()


def _measure_all(site: Site, bare: Bare, given: argparse.Namespace) -> dict[str, Figures]:
    visitors = (RUN / "sessions").read_text().split()
    cookie = f"sessionid={visitors[0]}"
    requests: dict[str, tuple[Server, Make, int]] = {
        "bare": (bare, _same(request("GET", "/bare")), 200),
        "healthz": (site, _same(request("GET", "/healthz")), 200),
        "queue status": (site, _same(request("GET", "/api/queue/status", cookie=cookie)), 200),
        "bare page": (bare, _same(request("GET", "/page")), 200),
        "page": (site, _visit(visitors), 200),
        "page again": (site, _same(request("GET", "/", cookie=cookie)), 200),
        "accepted message": (site, _ask(visitors), 202),
    }
    found = {}
    for name, (server, make, status) in requests.items():
        if name in given.measures:
            how = {"seconds": given.seconds, "connections": given.connections, "status": status}
            found[name] = measure(list(server.webs), make, partial(_cpu, server), **how)
    cookies = [f"sessionid={visitor}" for visitor in visitors[:_SOCKETS]]
    sockets: dict[str, tuple[Server, str]] = {
        "bare socket": (bare, "chat:message"),
        "message on a socket": (site, "chat:queued"),
    }
    for name, (server, answer) in sockets.items():
        if name in given.measures:
            how = {"seconds": given.seconds, "answer": answer}
            found[name] = measure_sockets(list(server.webs), cookies, partial(_cpu, server), **how)
    return found


def _run(given: argparse.Namespace) -> list[dict[str, Figures]]:
    site = Site(free_port(), 10, given)
    (RUN / "templates").mkdir(exist_ok=True)
    page = RUN / "templates" / "page.html"
    page.write_text("<p>" + "x" * 12_000 + "</p>")
    for _ in range(given.processes - 1):
        site.start_web(free_port())
    bare = Bare(given.processes)
    try:
        for server in (site, bare):
            for port, web in server.webs.items():
                wait_for(partial(_answers, port), "a web server", web)
        site.do("make_sessions", _VISITORS, str(RUN / "sessions"))
        site.do("hold", True)
        warming = argparse.Namespace(**vars(given) | {"seconds": 0.5, "connections": 2})
        _measure_all(site, bare, warming)
        return [_measure_all(site, bare, given) for _ in range(given.repeat)]
    finally:
        site.stop()
        bare.stop()


def _answers(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def _median(rounds: list[dict[str, Figures]], name: str, of: str) -> float:
    return statistics.median(getattr(found[name], of) for found in rounds)


def _ratio(rounds: list[dict[str, Figures]], name: str, peer: str, of: str) -> float:
    return statistics.median(getattr(found[name], of) / getattr(found[peer], of) for found in rounds)


def _line(rounds: list[dict[str, Figures]], name: str) -> dict[str, Any]:
    """Return the medians of one measure. On a busy machine `cpu ratio` says more than `ratio`."""
    line: dict[str, Any] = {of: _median(rounds, name, of) for of in ("rate", "median", "cost")}
    line["peers"] = {
        peer: {
            "mark": mark,
            "ratio": _ratio(rounds, name, peer, "rate"),
            "cpu ratio": 1 / _ratio(rounds, name, peer, "cost"),
        }
        for peer, mark in MEASURES.get(name, {}).items()
    }
    return line


def _print(result: dict[str, dict[str, Any]]) -> None:
    print("| measure | a second | p50 ms | CPU ms | a second ÷ peer | peer's CPU ÷ ours | mark |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, line in result.items():
        own = " | ".join(three_digits(line[of]) for of in ("rate", "median", "cost"))
        ratios = [
            f"{ratio['ratio']:.2f} ({peer}) | {ratio['cpu ratio']:.2f} | {ratio['mark'] or ''}"
            for peer, ratio in line["peers"].items()
        ]
        for of_peer in ratios or ["| | "]:
            print(f"| {name} | {own} | {of_peer} |")


def _with_peers(names: list[str]) -> list[str]:
    """Return the names of measures and of what they are divided by; all without a name."""
    return [*dict.fromkeys(peer for name in names for peer in (*MEASURES[name], name))]


def main() -> None:
    """Measure the site and the bare views in turn, and print the medians and ratios."""
    parser = argparse.ArgumentParser(prog="python -m bench.web", description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--processes", type=int, default=1, help="web processes of each contestant")
    parser.add_argument("--database", default="", metavar="URL", help="an empty database instead of SQLite")
    parser.add_argument("--only", action="append", choices=MEASURES, help="a measure; can be repeated")
    given = parser.parse_args()
    given.workers, given.measures = 1, _with_peers(given.only or list(MEASURES))
    RUN.mkdir(parents=True, exist_ok=True)
    for old in RUN.glob("db.sqlite3*"):
        old.unlink()
    rounds = _run(given)
    result = {name: _line(rounds, name) for name in rounds[0]}
    load = f"{given.connections} connections, median of {given.repeat}; load {os.getloadavg()[0]:.1f}"
    print(f"{given.processes} web processes, {load}")
    _print(result)
    Path(RUN / "web.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
