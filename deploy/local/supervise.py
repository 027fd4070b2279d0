"""Start the services of a local Buddy and keep them running in one terminal.

`python -m deploy.local.supervise` runs everything that `.env` and the environment do not name elsewhere.
With `valkey`, `model` or `speech` as arguments it runs only these. SIGINT, SIGTERM or SIGHUP stop it. A
second signal stops it at once.
"""

import asyncio
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Coroutine

from buddy.start.private_files import keep_private

from . import addresses, environment, lock, other_models, services
from .bootstrap import STOPPING, Problem, os_error_line
from .console import Console
from .process import Process, SupervisedProcess
from .services import Service
from .watchdog import Watchdog

PROGRESS_INTERVAL = 5.0
"""Seconds between two messages about a service that is not ready yet."""


class Supervisor:
    """The supervisor of all services. The event `stopping` ends it."""

    def __init__(
        self,
        embedded: list[Service],
        application: list[Service],
        lock_files: list[int],
        speech: Service | None = None,
    ) -> None:
        self.embedded, self.application, self.speech = embedded, application, speech
        published = [*embedded, speech] if speech else embedded
        self.values = {name: value for service in published for name, value in service.publishes.items()}
        self.env = {**os.environ, **self.values, "PYTHONUNBUFFERED": "1"}
        self.stopping = asyncio.Event()
        self.console = Console(on_closed=self.stopping.set)
        self.watchdog = Watchdog(lock_files)
        self.processes: list[SupervisedProcess] = []
        self.tasks: set[asyncio.Task] = set()
        self.problem: BaseException | None = None

    async def run(self) -> None:
        """Start everything, wait for `stopping`, stop everything. Raise what stopped it, if anything."""
        for number in STOPPING:
            asyncio.get_running_loop().add_signal_handler(number, self.on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        environment.publish(self.values)
        self.spawn(self.start_up())
        self.spawn(self.keep_watchdog())
        await self.stopping.wait()
        await self.stop()
        if self.problem:
            raise self.problem

    async def start_up(self) -> None:
        """Start the embedded services and migrate at the same time, then start the application."""
        began = time.monotonic()
        for service in self.embedded:
            self.start(service)
        if self.application:
            await self.migrate_and_collect()
        await asyncio.gather(*map(self.ready, self.embedded))
        for service in self.application:
            self.start(service)
        await asyncio.gather(*map(self.ready, self.application))
        if not self.stopping.is_set():
            self.announce(time.monotonic() - began)
            await self.name_other_models()
            if self.speech:
                await self.start_speech(self.speech)

    def announce(self, took: float) -> None:
        """Print the addresses of all services."""
        for service in self.embedded:
            self.console.say(f"{service.name} is running at {service.address} (see var/local.env)")
        subject = f"Buddy is ready at {self.application[-1].address}" if self.application else "Ready"
        self.console.say(f"{subject} (after {took:.1f} s). Press Ctrl-C to stop.")
        if self.application and (also := self.application[-1].also):
            self.console.say(f"Other computers reach it at {' or '.join(also)}")

    async def name_other_models(self) -> None:
        """Say which model servers already run on this computer, when the demo model answers."""
        if self.application and "BUDDY_DEMO_MODEL" in self.values:
            ours = services.host_and_port()[1]
            ports = [port for port in other_models.PORTS if port != ours]
            for line in await asyncio.to_thread(other_models.advice, ports):
                self.console.say(line)

    async def start_speech(self, speech: Service) -> None:
        """Install and start the speech-to-text server. A failure stops nothing else."""
        failed = await self.run_once(Process("speech", services.INSTALL_SPEECH, self.console, self.watchdog))
        if self.stopping.is_set():
            return
        if failed:
            self.console.say("Voice messages are not available. The lines above give the reason.")
            return
        self.spawn(self.keep_speech(self.add(speech)))
        await self.ready(speech)
        if not self.stopping.is_set():
            self.console.say(f"speech is running at {speech.address} (English only)")

    async def keep_speech(self, process: SupervisedProcess) -> None:
        """Keep the speech-to-text server running. If it keeps failing, the other services go on."""
        try:
            await process.keep_running()
        except Problem as problem:
            self.console.say(f"Voice messages are no longer available: {problem}")

    async def migrate_and_collect(self) -> None:
        """Migrate the database and collect static files. Raise `Problem` when this fails."""
        process = Process("migrate", services.MIGRATE_AND_COLLECT, self.console, self.watchdog)
        if await self.run_once(process) and not self.stopping.is_set():
            raise Problem("The database or the static files are not ready. The lines above give the reason.")

    async def run_once(self, process: Process) -> int:
        """Run a process to its end. Return the exit code."""
        self.processes.append(supervised := SupervisedProcess(process, self.env, grace=5))
        code = await supervised.run_once()
        self.processes.remove(supervised)
        return code

    def start(self, service: Service) -> None:
        """Start a service and keep it running, unless everything is stopping."""
        if not self.stopping.is_set():
            self.spawn(self.add(service).keep_running())

    def add(self, service: Service) -> SupervisedProcess:
        """Make the process of a service and add it to those that `stop` ends."""
        process = Process(service.name, service.command, self.console, self.watchdog)
        self.processes.append(supervised := SupervisedProcess(process, self.env, service.grace))
        return supervised

    async def ready(self, service: Service) -> None:
        """Wait until a service is ready. Print what is missing every few seconds."""
        began = printed = time.monotonic()
        while not self.stopping.is_set() and (missing := await asyncio.to_thread(service.missing)):
            if time.monotonic() - printed > PROGRESS_INTERVAL:
                began = printed = time.monotonic()
                self.console.say(f"waiting for {service.name} ({missing})")
            await asyncio.sleep(0.1 if printed == began else 1)

    async def keep_watchdog(self) -> None:
        """Replace the watchdog when its process was killed."""
        while True:
            self.watchdog.check()
            await asyncio.sleep(1)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Run `work` in the background. An exception in it stops everything."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.on_done)

    def on_done(self, task: asyncio.Task) -> None:
        """Keep the first exception and stop."""
        if not task.cancelled() and task.exception():
            self.problem = self.problem or task.exception()
            self.stopping.set()

    def on_signal(self) -> None:
        """Stop. On a second signal, kill all processes at once."""
        if self.stopping.is_set():
            for supervised in self.processes:
                supervised.process.kill()
        self.stopping.set()

    async def stop(self) -> None:
        """Stop the services in reverse order, so that each is stopped before those that it uses."""
        self.console.say("finishing the active jobs, then stopping; press Ctrl-C again to stop at once")
        for supervised in reversed(self.processes):
            await supervised.stop()
        for task in self.tasks:
            task.cancel()
        environment.withdraw(self.values)
        self.watchdog.close()
        self.console.say("stopped")


def plan(chosen: list[str]) -> Supervisor:
    """Lock and describe the services to run. Raise `Problem` when one of them cannot start."""
    everything = not chosen
    lock_files: list[int] = []
    application: list[Service] = []
    embedded: list[Service] = []
    if everything:
        host, port = services.host_and_port()
        addresses.allow(host)
        web = locked(lambda: services.web_service(host, port), "Buddy", lock_files)
        application = [services.cluster_service(), web]
        services.check_free(host, port)
    if "valkey" in chosen or (everything and not environment.own_redis()):
        embedded.append(locked(services.valkey_service, "valkey", lock_files))
    if "model" in chosen or (everything and not environment.own_model()):
        embedded.append(locked(services.model_service, "model", lock_files))
    speech = None
    own_speech = environment.own_model() or environment.own_transcription()
    if "speech" in chosen or (everything and not own_speech):
        speech = locked(services.speech_service, "speech", lock_files)
    return Supervisor(embedded, application, lock_files, speech)


def locked(describe: Callable[[], Service], what: str, lock_files: list[int]) -> Service:
    """Take the lock of a service, then describe it. The descriptor is added to `lock_files`."""
    lock_files.append(lock.acquire(environment.VAR / f"{what.lower()}.lock", what))
    service = describe()
    lock.write_holder(lock_files[-1], service.address)
    return service


def run(make: Callable[[], Supervisor]) -> int:
    """Make a supervisor and run it until it is stopped. Return the exit code."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))  # each socket needs one
    try:
        asyncio.run(make().run())
    except Problem as problem:
        print(f"buddy: {problem}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"buddy: {os_error_line(error)}", file=sys.stderr)
        return 1
    return 0


def main(chosen: list[str]) -> int:
    """Run until stopped. Return the exit code."""
    keep_private(environment.VAR)
    environment.load()
    return run(lambda: plan(chosen))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
