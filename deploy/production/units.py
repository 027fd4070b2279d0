"""The units of systemd (deploy/systemd/), read as far as a start without systemd needs."""

import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy" / "systemd"
#: The folder that the units name.
INSTALLED = "/opt/buddy"


def commands(unit: str, instance: str = "") -> list[list[str]]:
    """Return the commands of a unit, with the Python and the folder of this process."""
    return [
        [sys.executable if word == f"{INSTALLED}/.venv/bin/python" else word for word in shlex.split(line)]
        for line in _values(UNITS / unit, "ExecStart", instance)
    ]


def stop_seconds(unit: str) -> float:
    """Return the seconds that systemd waits after SIGTERM."""
    return float(_values(UNITS / unit, "TimeoutStopSec")[0])


def environment() -> dict[str, str]:
    """Return the variables that all units set."""
    lines = _values(UNITS / "buddy-.service.d" / "common.conf", "Environment")
    return dict(word.split("=", 1) for line in lines for word in shlex.split(line))


def _values(file: Path, name: str, instance: str = "") -> list[str]:
    lines = file.read_text().splitlines()
    found = [line.split("=", 1)[1] for line in lines if line.startswith(f"{name}=")]
    return [value.replace("%i", instance) for value in found]
