"""Run the chaos program: `python -m tests.chaos --seed 7 --minutes 5 --jobs 1000 --database postgres`."""

import asyncio
import sys

from tests.chaos.options import parse
from tests.chaos.run import run

sys.exit(asyncio.run(run(parse())))
