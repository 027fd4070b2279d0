"""The benchmarks run. Their figures of speed are not checked."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_bench_quick_run_prints_every_measure():
    command = [sys.executable, "-m", "bench", "--quick", "--only", "ours"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for title in ("Drain", "Sleepers", "Latency", "Submit", "Scale"):
        assert f"\n{title}: " in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_simulation_of_ten_workers_starts_all_jobs_and_wakes_few_workers():
    """A message costs one submission and about two claims, however many workers have free slots."""
    options = ["--workers", "10", "--load", "0.6", "--seconds", "10", "--warm-up", "5"]
    command = [sys.executable, "-m", "bench.simulation", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path = re.search(r"all figures: (\S+)", done.stdout)
    assert path
    (run,) = json.loads(Path(path[1]).read_text())
    calls = run["calls"]
    assert sum(number for number, *_ in run["waits"].values()) > 300
    assert run["refused"] == {}
    assert calls["claim"] < 3 * calls["submit"]
    assert calls.get("wake", 0) < 0.1 * calls["submit"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_bench_of_growth_measures_requests_and_duties():
    sizes = ["--jobs", "2000", "--messages", "2000", "--threads", "200", "--repeat", "1"]
    command = [sys.executable, "-m", "bench.growth", *sizes]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in ("of a user: /api/threads", "of staff: /metrics", "heartbeat: reconcile", "seldom: prune"):
        assert f"\n| {name} | " in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_bench_of_leaks_finds_no_growing_number():
    """A few hundred operations say nothing about memory, but enough about files and connections."""
    command = [sys.executable, "-m", "bench.leaks", "--operations", "500", "--batches", "5"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.endswith("flat |") or "GROWS" in line]
    assert len(lines) == 30, done.stdout + done.stderr
    assert not [line for line in lines if "GROWS" in line and "memory" not in line]
