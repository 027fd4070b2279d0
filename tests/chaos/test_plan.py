"""The plan of a chaos run depends on its seed alone."""

import asyncio
import shlex
from itertools import pairwise

import pytest

from tests.chaos.faults import FAULTS
from tests.chaos.options import Options, parse
from tests.chaos.plan import plan


def names(options: Options) -> set[str]:
    return {fault.name for fault in options.chosen()}


def test_plan_of_the_same_seed_is_the_same():
    chosen = parse(["--seed", "7"]).chosen()
    assert plan(7, 600, chosen) == plan(7, 600, chosen)
    assert plan(7, 600, chosen) != plan(8, 600, chosen)


def test_shorter_plan_is_the_beginning_of_a_longer_one():
    chosen = parse(["--seed", "7"]).chosen()
    short = plan(7, 120, chosen)
    assert short
    assert plan(7, 1800, chosen)[: len(short)] == short


def test_long_plan_has_every_fault_and_none_overlaps_another_of_its_target():
    chosen = parse(["--seed", "3", "--database", "postgres", "--redis", "cluster"]).chosen()
    planned = plan(3, 1800, chosen)
    assert {one.name for one in planned} == {fault.name for fault in chosen}
    for target in {fault.target for fault in chosen}:
        mine = [one for one in planned if FAULTS[one.name].target == target]
        assert all(a.until < b.at for a, b in pairwise(mine))
    assert max(one.until for one in planned) < 1800


def test_faults_of_the_other_services_are_left_out():
    assert "redis.failover" in names(parse([]))
    assert "redis.node_kill" in names(parse(["--redis", "cluster"]))
    assert not {"redis.node_kill", "postgres.stop"} & names(parse([]))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--faults", "redis.flush,worker.kill"], {"redis.flush", "worker.kill"}),
        (["--faults", "clock.*", "--without", "clock.back"], {"clock.forward"}),
        (["--faults", "none"], set()),
    ],
)
def test_faults_are_chosen_by_name_or_pattern(arguments, expected):
    assert names(parse(arguments)) == expected


def test_command_of_a_run_repeats_it():
    options = parse(["--seed", "5", "--minutes", "3", "--faults", "redis.*", "--without", "redis.slow"])
    _, _, arguments = shlex.split(options.command(only=[2, 4], seconds=60.0))
    again = parse(shlex.split(arguments.removeprefix("ARGS=")))
    assert (again.seed, again.only, again.minutes, again.jobs) == (5, (2, 4), 1.0, 300)
    assert again.chosen() == options.chosen()


async def test_each_fault_has_a_description_and_yields_once():
    for fault in FAULTS.values():
        assert fault.doc.endswith("."), fault.name
        assert fault.seconds[0] < fault.seconds[1], fault.name
        assert not asyncio.iscoroutine(fault.applied)
