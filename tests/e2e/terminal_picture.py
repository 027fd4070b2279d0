"""Take the picture of the terminal: `python -m tests.e2e.terminal_picture docs/monitor.svg`.

A real `queue_monitor` on a pseudoterminal, while real workers answer thirty visitors; the model is scripted.
"""

import argparse
import json
import re
import socket
import subprocess
import sys
import tempfile
import urllib.request
from http.cookiejar import CookieJar
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.e2e.site import Site, running
from tests.provider.fixture import Provider
from tests.queueing.terminal.pseudo_terminal import Terminal
from tests.support.cluster import ROOT
from tests.support.valkey import wait_until

COLUMNS, LINES = 100, 20
#: Shown instead of the name of the machine that took the picture.
HOST = "host-1"


def ask(site: Site, companion: str, message: str) -> None:
    """Send a question as a new visitor."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    body = json.dumps({"message": message}).encode()
    request = urllib.request.Request(
        f"{site.url}/api/{companion}", body, {"Content-Type": "application/json"}
    )
    opener.open(request).close()


def status(site: Site, queue: str) -> dict[str, object]:
    """Return the output of `queue_status` for one queue."""
    command = [sys.executable, "manage.py", "queue_status", queue, "--json"]
    return json.loads(subprocess.check_output(command, cwd=ROOT, env=site.environment))


def work(site: Site, provider: Provider) -> None:
    """Create answers, failures, waiting titles in a paused queue, and waiting questions."""
    subprocess.run(
        [sys.executable, "manage.py", "queue_pause", "background"],
        cwd=ROOT,
        env=site.environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    provider.script(status=400, match="strike", times=0)
    provider.script(text="Take the early train.", delay=0.1, match="train", times=0)
    for number in range(18):
        ask(site, "travel", f"Which train to Sintra, with {number} bags?")
    for number in range(5):
        ask(site, "travel", f"What if there is a strike on day {number}?")
    wait_until(lambda: (status(site, "openai-chat").get("recent") or {}).get("failed") == 5, "them", 90)
    provider.script(text="One moment, please. " * 200, delay=0.3, match="slow", times=0)
    for number in range(9):
        ask(site, "culture", f"Tell me something slow about fado, part {number}.")


def frame(site: Site) -> str:
    """Return the last screen, with colours."""
    screen = Terminal(
        "manage.py",
        "queue_monitor",
        env=site.environment | {"TERM": "xterm-256color", "USER": "anna", "LOGNAME": "anna"},
        columns=COLUMNS,
        lines=LINES,
    )
    try:
        screen.sees("> analytics")
        screen.press("j")
        screen.sees("> openai-chat")
        drawn = len(screen.frames)
        wait_until(lambda: len(screen.frames) > drawn + 3, "some more frames")
        return screen.frames[-2]
    finally:
        screen.close()


def as_svg(drawn: str) -> str:
    """Return the screen as SVG without external fonts."""
    host = socket.gethostname()
    drawn = re.sub(rf"\b{re.escape(host)}( *)", f"{HOST} ", drawn)
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    for line in drawn.split("\n"):
        console.print(Text.from_ansi(line), no_wrap=True, crop=True, soft_wrap=True)
    svg = console.export_svg(title="manage.py queue_monitor", theme=MONOKAI, unique_id="monitor")
    return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)


def main() -> None:
    """Write the picture to the named file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    file = parser.parse_args().file
    provider = Provider()
    provider.start()
    model = {**provider.publishes, "THREAD_TITLES": "1"}
    with tempfile.TemporaryDirectory() as directory, running(Path(directory), **model) as site:
        work(site, provider)
        file.write_text(as_svg(frame(site)))
        print(file)
    provider.stop()


if __name__ == "__main__":
    main()
