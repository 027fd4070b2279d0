"""`python -m bench.page`: a conversation of 1,000 messages in Chromium, on a slowed processor.

It has tables and code, all of it is loaded, and one more answer streams into it. Measured are the times
between frames, the tasks over 50 ms, the work and the layouts for each frame, and how long opening the
conversation takes. The peer in the same run is a bare page: the same elements and a text that grows, without
our scripts.
"""

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.e2e.site import Site, running
from tests.provider.fixture import Provider

ROUND = """
## What part {n} says

Some **words** about `part_{n}`, with a [link](https://example.org/{n}) and a list:

1. The first of them is short.
2. The second is a little longer, and it goes on for more than one line of a phone.

| Day | Place | Price |
|---|---|---:|
| {n} | The harbour | 12.50 |
| {n} | The old town, on foot | 0.00 |

```python
def part_{n}(words):
    return [word.strip() for word in words if word]  # {n}
```
"""
SEED = """
from bench.page import ROUND
from chat.models import Message, Thread
from queueing.api import new_id
thread, rows, job = Thread.objects.get(id="{thread}"), [], ""
for n in range({messages}):
    job = job if n % 2 else new_id()
    role, text = ("assistant", ROUND.format(n=n)) if n % 2 else ("user", f"And what does part {{n + 1}} say?")
    rows.append(Message(id=new_id(), thread=thread, role=role, content=text, job_id=job))
Message.objects.bulk_create(rows)
"""
SHOWN = "() => document.querySelectorAll('#view article').length"
LOAD_ALL = """async () => {
    const scroller = document.querySelector("#content");
    while (!document.querySelector(".history p")?.textContent) {
        scroller.scrollTop = 0;
        await new Promise(requestAnimationFrame);
    }
    document.querySelector("#to-latest").click();
}"""
#: Notes the time of each frame and of each long task for some seconds.
WATCH = """async (seconds) => {
    const [frames, long] = [[], []];
    const note = (list) => long.push(...list.getEntries().map(({ duration }) => duration));
    const observer = new PerformanceObserver(note);
    observer.observe({ type: "longtask" });
    const end = performance.now() + 1000 * seconds;
    const text = [...document.querySelectorAll("#view .message__text")].at(-1);
    let pieces = 0;
    const changes = new MutationObserver(() => (pieces += 1));
    changes.observe(text, { characterData: true, childList: true, subtree: true });
    let last = await new Promise(requestAnimationFrame);
    while (last < end) {
        const now = await new Promise(requestAnimationFrame);
        frames.push(now - last);
        last = now;
    }
    observer.disconnect();
    changes.disconnect();
    return { frames, long, pieces };
}"""
#: Turns the page into the bare one: elements, styles, and a text that grows 60 times a second.
BARE = """() => {
    const view = document.querySelector("#view");
    const copy = view.cloneNode(true);
    view.replaceWith(copy);
    let text = [...copy.querySelectorAll(".message__text")].at(-1);
    while (text.nodeType !== Node.TEXT_NODE) text = text.lastChild;
    const scroller = document.querySelector("#content");
    setInterval(() => {
        text.appendData("word ");
        scroller.scrollTop = scroller.scrollHeight;
    }, 1000 / 60);
}"""
#: Opens the conversation from the list; returns ms until its last message is drawn.
OPEN = """async (thread) => {
    const start = performance.now();
    document.querySelector(`#threads a[href$="${thread}"]`).click();
    while (!document.querySelector("#view article")) await new Promise(requestAnimationFrame);
    await new Promise((r) => requestAnimationFrame(() => setTimeout(r)));
    return performance.now() - start;
}"""


def counters(line: CDPSession) -> dict[str, float]:
    """Return Chromium's own counts and seconds of the page so far."""
    return {entry["name"]: entry["value"] for entry in line.send("Performance.getMetrics")["metrics"]}


def watch(page: Page, line: CDPSession, seconds: float) -> dict[str, float]:
    """Return the figures of some seconds of the page."""
    before = counters(line)
    seen = page.evaluate(WATCH, seconds)
    after = counters(line)
    frames = sorted(seen["frames"])
    per_frame = {name: (after[name] - before[name]) / len(frames) for name in after}
    return {
        "frames/s": 1000 * len(frames) / sum(frames),
        "p50 ms": statistics.median(frames),
        "p95 ms": frames[int(0.95 * len(frames))],
        "changes/s": 1000 * seen["pieces"] / sum(frames),
        "long tasks": len(seen["long"]),
        "longest ms": max(seen["long"], default=0.0),
        "script ms": 1000 * per_frame["ScriptDuration"],
        "style ms": 1000 * per_frame["RecalcStyleDuration"],
        "layout ms": 1000 * per_frame["LayoutDuration"],
        "all tasks ms": 1000 * per_frame["TaskDuration"],
        "layouts": per_frame["LayoutCount"],
    }


def conversation(page: Page, site: Site, messages: int) -> str:
    """Make a conversation of this number of messages; return its id."""
    page.goto(site.url)
    page.locator("#message").fill("The very first one.")
    page.locator("#message").press("Enter")
    page.wait_for_selector("article[data-status=completed]")
    page.wait_for_url("**/t/*")
    thread = page.url.rpartition("/")[2]
    site.run(SEED.format(thread=thread, messages=messages - 2))
    return thread


def opening(page: Page, site: Site, line: CDPSession, thread: str) -> dict[str, float]:
    """Return how long opening takes: from the list, and with the whole page."""
    listed, loaded, busy = [], [], []
    for _ in range(3):
        page.goto(site.url)
        page.wait_for_selector("#threads a")
        page.wait_for_load_state("networkidle")
        before = counters(line)
        listed.append(page.evaluate(OPEN, thread))
        busy.append(1000 * (counters(line)["TaskDuration"] - before["TaskDuration"]))
        page.reload(wait_until="commit")
        page.wait_for_selector("#view article")
        loaded.append(page.evaluate("() => performance.now()"))
    median = statistics.median
    return {
        "from the list ms": median(listed),
        "of it busy ms": median(busy),
        "whole page ms": median(loaded),
    }


def measure(page: Page, site: Site, provider: Provider, given: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of both pages at each rate of slowing."""
    line = page.context.new_cdp_session(page)
    # In time of the processor, so that other work on the machine is not counted.
    line.send("Performance.enable", {"timeDomain": "threadTicks"})
    thread = conversation(page, site, given.messages)
    slow = lambda rate: line.send("Emulation.setCPUThrottlingRate", {"rate": rate})  # noqa: E731
    found: dict[str, Any] = {}
    for rate in given.rates:
        slow(rate)
        found[f"opening, {rate}×"] = opening(page, site, line, thread)
        slow(1)
        page.evaluate(LOAD_ALL)
        text = "".join(ROUND.format(n=n) for n in range(400))
        provider.script(text=text, delay=1 / 60)
        page.locator("#message").fill("Go on, please.")
        page.locator("#message").press("Enter")
        page.wait_for_selector("article[data-status=active] .message__text > *")
        slow(rate)
        page.wait_for_timeout(1000)
        found[f"streaming, {rate}×"] = watch(page, line, given.seconds)
        slow(1)
        page.locator("#stop").click()
        page.wait_for_selector("article[data-status=active]", state="detached")
        page.evaluate(BARE)
        slow(rate)
        page.wait_for_timeout(1000)
        found[f"bare page, {rate}×"] = watch(page, line, given.seconds)
        slow(1)
    return found


def show(found: dict[str, Any]) -> None:
    """Print all figures."""
    for name, figures in found.items():
        print(f"\n{name}")
        print("  " + ", ".join(f"{what} {value:.1f}" for what, value in figures.items()))


def main() -> None:
    """Measure, print, and keep the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.page", description=__doc__)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measurement")
    parser.add_argument(
        "--rates", type=int, nargs="+", default=[4, 6], help="how much the processor is slowed"
    )
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    given = parser.parse_args()
    provider = Provider()
    provider.start()
    with (
        tempfile.TemporaryDirectory() as directory,
        running(Path(directory), **provider.publishes) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=given.chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        print(f"{given.messages:,} messages; load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
        found = measure(page, site, provider, given)
        browser.close()
    provider.stop()
    show(found)
    path = Path("var/bench") / f"page-{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1))
    print(f"\nall figures: {path}")


if __name__ == "__main__":
    main()
