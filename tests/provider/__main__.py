"""Run the scripted provider alone or for a bench: `python -m tests.provider --port 8899`."""

import argparse
import asyncio
import resource
import signal

from tests.provider.script import Script
from tests.provider.server import Server


async def serve(port: int, default: Script | None) -> None:
    server = Server()
    if default:
        server.scripts.add(default)
    await server.start(port)
    print(f"http://127.0.0.1:{server.port}/v1", flush=True)
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    await stopped.wait()
    await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes any free port")
    parser.add_argument("--words", type=int, default=0, help="answer every request with this many words")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each word")
    options = parser.parse_args()
    default = None
    if options.words or options.delay:
        text = " ".join(["token"] * options.words) if options.words else None
        default = Script(text=text, delay=options.delay, times=0)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # one descriptor per stream
    asyncio.run(serve(options.port, default))


main()
