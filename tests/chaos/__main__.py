"""Run the chaos program: `python -m tests.chaos --seed 7 --minutes 5 --jobs 1000 --database postgres`."""

import asyncio
import signal
import sys

from tests.chaos.options import Options, parse
from tests.chaos.run import run


async def main(options: Options) -> int:
    """Run until the end, or until SIGINT or SIGTERM: in each case all processes are stopped."""
    running = asyncio.ensure_future(run(options))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        return await running
    except asyncio.CancelledError:
        return 130


sys.exit(asyncio.run(main(parse())))
