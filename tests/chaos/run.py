"""One run: start everything, let visitors ask while faults are applied, wait, look, judge."""

import asyncio
import math
import os
import random
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos import report
from tests.chaos.checks import judge
from tests.chaos.evidence import Applied, Call, Evidence, Limit, Probe, read_rows
from tests.chaos.faults import FAULTS, processes
from tests.chaos.options import Options
from tests.chaos.plan import Planned, plan
from tests.chaos.system import System
from tests.chaos.system.services import ROOT, Sample
from tests.chaos.system.system import CHAT_GLOBAL, CHAT_PER_CLUSTER, SETTINGS
from tests.chaos.visitors import Crowd

#: Seconds that a fault may take to begin or to end, beyond its planned time.
PATIENCE = 90.0


class Run:
    """The state of a run."""

    def __init__(self, options: Options, directory: Path) -> None:
        self.options = options
        self.system = System(options, directory)
        self.began = 0.0
        self.applied: list[Applied] = []
        self.probes: list[Probe] = []
        self.samples: list[Sample] = []
        self._faults: set[asyncio.Task[None]] = set()

    def say(self, text: str) -> None:
        print(f"{time.time() - self.began:7.1f} s  {text}" if self.began else text, flush=True)

    async def apply_all(self, planned: list[Planned]) -> None:
        """Begin each fault at its time, and wait for the end of all."""
        for number, fault in enumerate(planned):
            if self.options.only and number not in self.options.only:
                continue
            await asyncio.sleep(max(0.0, self.began + fault.at - time.time()))
            self._faults.add(asyncio.create_task(self._apply(number, fault)))
        await asyncio.gather(*self._faults)

    async def _apply(self, number: int, planned: Planned) -> None:
        began, complete = time.time(), (math.inf, -math.inf)
        self.say(f"{number:3} {planned.name} for {planned.seconds:g} s")
        try:
            async with asyncio.timeout(planned.seconds + PATIENCE):
                async with FAULTS[planned.name].applied(self.system, random.Random(planned.dice)):
                    from_ = time.time()
                    await asyncio.sleep(planned.seconds)
                    complete = from_, time.time()
        except Exception as exc:
            self.say(f"{number:3} {planned.name}: {exc!r}")
        self.applied.append(Applied(number, planned.name, began, time.time(), complete))

    async def probe(self) -> None:
        """Ask /readyz once a second, and measure the processes every five."""
        timeout, connector = aiohttp.ClientTimeout(total=5), aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http:
            for second in range(1 << 30):
                await asyncio.gather(*(self._probe(http, *one) for one in enumerate(self.system.addresses())))
                if second % 5 == 0:
                    for service in self.system.services:
                        self.samples += service.samples()
                await asyncio.sleep(1)

    async def _probe(self, http: aiohttp.ClientSession, number: int, address: str) -> None:
        status, checks = 0, ""
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with http.get(f"{address}/readyz") as answer:
                status = answer.status
                checks = "" if status == 200 else await answer.text()
        self.probes.append(Probe(self.system.webs[number].name, time.time(), status, checks))

    async def ready(self) -> None:
        """Wait until both web processes and a worker answer."""
        for address in self.system.addresses():
            async with aiohttp.ClientSession() as http, asyncio.timeout(90):
                while True:
                    with suppress(aiohttp.ClientError, OSError):
                        async with http.get(f"{address}/readyz") as answer:
                            if answer.status == 200:
                                break
                    await asyncio.sleep(0.2)

    async def settle(self, crowd: Crowd) -> None:
        """Let everything end: bring the last version up, and wait."""
        if self.system.version == "1" and any(
            t.question.what in ("new", "grown") for t in crowd.unfinished()
        ):
            began = time.time()
            await processes.roll_all(self.system, "2")
            self.applied.append(Applied(-1, "the last version", began, time.time()))
        ends = time.monotonic() + self.options.settle
        while (left := crowd.unfinished()) and time.monotonic() < ends:
            await asyncio.sleep(0.5)
        self.say(f"{len(left)} of {sum(1 for _ in crowd.transcripts())} questions have not ended")

    async def evidence(self, crowd: Crowd) -> Evidence:
        calls = await self.system.provider.calls()
        now, services = time.time(), self.system.services
        os.environ.update(SETTINGS | {"DATABASE_URL": self.system.database.url(), "CHAOS_READER": "1"})
        return Evidence(
            transcripts=list(crowd.transcripts()),
            rows=await asyncio.to_thread(_rows),
            calls=[_call(call, now) for call in calls],
            foreign=[text for visitor in crowd.visitors for text in visitor.foreign],
            limits=_limits(),
            pauses=[pause for service in services for pause in service.pauses],
            applied=self.applied,
            probes=self.probes,
            samples=self.samples,
            crashes=[text for service in services for text in service.crashes],
            one_redis=self.options.redis == "one",
            visitors=len(crowd.visitors),
        )


def _rows() -> Any:
    import django

    django.setup()
    return read_rows()


def _call(call: dict[str, Any], now: float) -> Call:
    fields = {name: call[name] for name in ("key", "queue", "instance", "started", "whole", "spoiled")}
    return Call(ended=call["ended"] or now, **fields)


def _limits() -> list[Limit]:
    from tests.chaos.project.settings import LIMITER, WORK_GLOBAL

    return [
        Limit(queue="openai-chat", total=CHAT_GLOBAL, per_instance=CHAT_PER_CLUSTER),
        Limit(queue="audio-processing", per_instance=2),
        Limit(queue="chaos-work", total=WORK_GLOBAL, per_instance=3),
        Limit(queue="chaos-limited", starts=LIMITER),
    ]


async def run(options: Options) -> int:
    """Run once, print the report, and return 0 when no rule was violated."""
    directory = ROOT / "var/chaos" / f"{time.strftime('%Y%m%d-%H%M%S')}-{options.seed}"
    directory.mkdir(parents=True)
    one = Run(options, directory)
    chosen = options.chosen()
    if not one.system.disk.can_be_filled:
        chosen = [fault for fault in chosen if fault.name != "disk.full"]
        one.say("disk.full is left out: only root can mount a file system that can be filled")
    planned = plan(options.seed, options.minutes * 60, chosen)
    one.say(f"{options.command()}\n{report.machine()}\n{directory}")
    try:
        await one.system.start()
        return await _run(one, planned)
    finally:
        await one.system.stop()


async def _run(one: Run, planned: list[Planned]) -> int:
    options, system = one.options, one.system
    await one.ready()
    crowd = Crowd(options.visitors, options.seed, system.addresses())
    await crowd.arrive()
    one.began = time.time()
    probing = asyncio.create_task(one.probe())
    await asyncio.gather(crowd.ask(options.jobs, options.minutes * 60), one.apply_all(planned))
    one.say("the load has ended")
    await one.settle(crowd)
    await crowd.look()
    probing.cancel()
    evidence = await one.evidence(crowd)
    await crowd.leave()
    found = judge(evidence)
    counts = report.print_report(options, evidence, found, one.began)
    versions = [system.redis.version, system.database.version]
    report.write(system.directory / "report.json", options, versions, evidence, found)
    return 1 if any(counts.values()) else 0
