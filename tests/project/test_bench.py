"""The benchmark runs. Its figures are not checked."""

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
