"""The engine's connections to Redis, for an application that stores data of its own there."""

from collections.abc import Sequence

from queueing.context import JobContext
from queueing.schedule import redis_client, scripts
from queueing.schedule.redis_client import Unavailable, aclient, arun_commands, client, run_commands
from queueing.schedule.scripts import Command, app_key

__all__ = [
    "Command",
    "Unavailable",
    "aclient",
    "app_key",
    "arun_commands",
    "arun_while_claimed",
    "client",
    "run_commands",
    "run_while_claimed",
]


def run_while_claimed(ctx: JobContext, commands: Sequence[Command]) -> bool:
    """Run commands of Redis if the claim of the run `ctx` holds, as one step. Return whether it holds."""
    return bool(redis_client.run(_call(ctx, commands))[0])


async def arun_while_claimed(ctx: JobContext, commands: Sequence[Command]) -> bool:
    """Do what `run_while_claimed` does, on the running event loop."""
    return bool((await redis_client.arun(_call(ctx, commands)))[0])


def _call(ctx: JobContext, commands: Sequence[Command]) -> redis_client.ScriptCall[list[int]]:
    return scripts.while_claimed([scripts.RunWrite(ctx.job_id, ctx.token, commands)])
