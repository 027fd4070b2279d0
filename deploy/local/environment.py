"""The places where services are named: the environment, `.env`, and `var/local.env`.

`make run` embeds a Valkey unless REDIS_URL names a server. It embeds a model unless OPENAI_API_KEY or
OPENAI_BASE_URL names one. It writes the addresses of embedded services to `var/local.env`, where
buddy/settings/environment.py reads them.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from buddy.start.env_file import add_to_environment

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var"
LOCAL_ENV = VAR / "local.env"


def load() -> None:
    """Add the values of `.env` to the environment. A value that is already in the environment stays."""
    add_to_environment(ROOT / ".env")


def own_redis() -> bool:
    """Return True when the user named a Redis server."""
    return bool(os.environ.get("REDIS_URL"))


def own_model() -> bool:
    """Return True when the user named a model."""
    return bool(os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL"))


def own_transcription() -> bool:
    """Return True when the user named a model that transcribes speech."""
    return bool(os.environ.get("OPENAI_TRANSCRIPTION_MODEL"))


def publish(values: Mapping[str, str], file: Path = LOCAL_ENV) -> None:
    """Write the addresses of embedded services to `file`, for processes that are started by hand."""
    _rewrite(file, {**_read(file), **values})


def withdraw(values: Mapping[str, str], file: Path = LOCAL_ENV) -> None:
    """Remove exactly these values from `file`. Newer values and those of other services stay."""
    _rewrite(file, dict(_read(file).items() - values.items()))


def _read(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    lines = file.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def _rewrite(file: Path, values: Mapping[str, str]) -> None:
    if not values:
        file.unlink(missing_ok=True)
        return
    text = "# Written by `make run` while it runs: the addresses of its embedded services.\n"
    text += "".join(f"{name}={value}\n" for name, value in sorted(values.items()))
    fresh = file.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(file)
