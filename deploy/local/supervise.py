"""Start the parts of a local Buddy and keep them running in one terminal.

`python -m deploy.local.supervise` runs everything that `.env` and the environment do not name elsewhere;
with `valkey`, `model` or `ear` as arguments, only those. SIGINT, SIGTERM or SIGHUP stop it; again, at once.
"""

import asyncio
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Coroutine

from . import environment, lock, parts
from .bootstrap import STOPPING, Problem, tell
from .console import Console
from .parts import Part
from .process import Process, Service
from .watchdog import Watchdog

IMPATIENCE = 5.0
"""Seconds between two words on what a start is waiting for."""


class Supervisor:
    """Everything that runs, and the one event that stops it."""

    def __init__(
        self, embedded: list[Part], application: list[Part], held: list[int], ear: Part | None = None
    ) -> None:
        self.embedded, self.application, self.ear = embedded, application, ear
        published = [*embedded, ear] if ear else embedded
        self.values = {name: value for part in published for name, value in part.publishes.items()}
        self.env = {**os.environ, **self.values, "PYTHONUNBUFFERED": "1"}
        self.stopping = asyncio.Event()
        self.console = Console(on_closed=self.stopping.set)
        self.watchdog = Watchdog(held)
        self.services: list[Service] = []
        self.tasks: set[asyncio.Task] = set()
        self.problem: BaseException | None = None

    async def run(self) -> None:
        """Start, run until told to stop, stop; raises what made it stop, if that was a problem."""
        for number in STOPPING:
            asyncio.get_running_loop().add_signal_handler(number, self.on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        environment.publish(self.values)
        self.spawn(self.start_up())
        self.spawn(self.look_after_watchdog())
        await self.stopping.wait()
        await self.stop()
        if self.problem:
            raise self.problem

    async def start_up(self) -> None:
        """The embedded parts and the database side by side, then the application, then the good news."""
        began = time.monotonic()
        for part in self.embedded:
            self.start(part)
        if self.application:
            await self.prepare()
        await asyncio.gather(*map(self.ready, self.embedded))
        for part in self.application:
            self.start(part)
        await asyncio.gather(*map(self.ready, self.application))
        if not self.stopping.is_set():
            self.announce(time.monotonic() - began)
            if self.ear:
                await self.bring_up(self.ear)

    def announce(self, took: float) -> None:
        """Say where everything is."""
        for part in self.embedded:
            self.console.say(f"{part.name} is embedded, at {part.address}; var/local.env tells the others")
        news = f"Buddy is ready at {self.application[-1].address}" if self.application else "Ready"
        self.console.say(f"{news} (after {took:.1f} s). Ctrl-C stops it.")

    async def bring_up(self, ear: Part) -> None:
        """Voice comes last, and what hinders it hinders nothing else."""
        failed = await self.run_once(Process("ear", parts.INSTALL_EAR, self.console, self.watchdog))
        if self.stopping.is_set():
            return
        if failed:
            self.console.say("There is no voice this time; the lines above say why. All else works.")
            return
        self.spawn(self.keep_ear(self.add(ear)))
        await self.ready(ear)
        if not self.stopping.is_set():
            self.console.say(f"ear is embedded, at {ear.address}; it understands English only")

    async def keep_ear(self, service: Service) -> None:
        """As for the other parts, but its end is not theirs."""
        try:
            await service.keep_running()
        except Problem as problem:
            self.console.say(f"There is no voice any more: {problem}")

    async def prepare(self) -> None:
        """Migrate and collect static files; `Problem` if that does not work."""
        process = Process("prepare", parts.PREPARE, self.console, self.watchdog)
        if await self.run_once(process) and not self.stopping.is_set():
            raise Problem("The database or the static files could not be prepared; the lines above say why.")

    async def run_once(self, process: Process) -> int:
        """Run it to its end; its exit code."""
        self.services.append(service := Service(process, self.env, grace=5))
        code = await service.run_once()
        self.services.remove(service)
        return code

    def start(self, part: Part) -> None:
        """Start a part and keep it running, unless everything is stopping."""
        if not self.stopping.is_set():
            self.spawn(self.add(part).keep_running())

    def add(self, part: Part) -> Service:
        """The part's service, among those that are stopped in the end."""
        process = Process(part.name, part.command, self.console, self.watchdog)
        self.services.append(service := Service(process, self.env, part.grace))
        return service

    async def ready(self, part: Part) -> None:
        """Wait until a part is ready, saying from time to time what is missing."""
        began = said = time.monotonic()
        while not self.stopping.is_set() and (missing := await asyncio.to_thread(part.missing)):
            if time.monotonic() - said > IMPATIENCE:
                began = said = time.monotonic()
                self.console.say(f"waiting for {part.name} ({missing})")
            await asyncio.sleep(0.1 if said == began else 1)

    async def look_after_watchdog(self) -> None:
        """Replace the watchdog should somebody kill it."""
        while True:
            self.watchdog.check()
            await asyncio.sleep(1)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Run it in the background; its failure stops everything."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.on_done)

    def on_done(self, task: asyncio.Task) -> None:
        """Remember the first failure."""
        if not task.cancelled() and task.exception():
            self.problem = self.problem or task.exception()
            self.stopping.set()

    def on_signal(self) -> None:
        """Stop; when asked again, at once."""
        if self.stopping.is_set():
            for service in self.services:
                service.process.kill()
        self.stopping.set()

    async def stop(self) -> None:
        """End the parts in the opposite order: those that use others first."""
        self.console.say("stopping, once running jobs have ended; Ctrl-C again stops at once")
        for service in reversed(self.services):
            await service.stop()
        for task in self.tasks:
            task.cancel()
        environment.withdraw(self.values)
        self.watchdog.close()
        self.console.say("stopped")


def plan(chosen: list[str]) -> Supervisor:
    """Lock what will run and describe it; `Problem` when something stands in the way."""
    everything = not chosen
    held: list[int] = []
    application: list[Part] = []
    embedded: list[Part] = []
    if everything:
        host, port = parts.host_and_port()
        application = [parts.cluster_part(), locked(lambda: parts.web_part(host, port), "Buddy", held)]
        parts.check_free(host, port)
    if "valkey" in chosen or (everything and not environment.own_redis()):
        embedded.append(locked(parts.valkey_part, "valkey", held))
    if "model" in chosen or (everything and not environment.own_model()):
        embedded.append(locked(parts.model_part, "model", held))
    ear = None
    if "ear" in chosen or (everything and not environment.own_model() and not environment.own_ear()):
        ear = locked(parts.ear_part, "ear", held)
    return Supervisor(embedded, application, held, ear)


def locked(describe: Callable[[], Part], what: str, held: list[int]) -> Part:
    """The part, once it is ours alone to run."""
    held.append(lock.acquire(environment.VAR / f"{what.lower()}.lock", what))
    part = describe()
    lock.tell(held[-1], part.address)
    return part


def main(chosen: list[str]) -> int:
    """Run until stopped; the exit code."""
    environment.load()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))  # one for every socket
    try:
        asyncio.run(plan(chosen).run())
    except Problem as problem:
        print(f"buddy: {problem}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"buddy: {tell(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
