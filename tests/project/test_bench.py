"""The benchmark runs. Its figures are not checked."""

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
