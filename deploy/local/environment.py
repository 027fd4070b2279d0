"""Who names what: the environment, `.env`, and `var/local.env` for what is embedded.

`make run` embeds a Valkey unless REDIS_URL names a server, and a model unless OPENAI_API_KEY or
OPENAI_BASE_URL names one. What it embeds it publishes in `var/local.env`, where buddy/settings.py finds it.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import environ

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var"
LOCAL_ENV = VAR / "local.env"


def load() -> None:
    """Add what `.env` says to the environment, which wins where both say something."""
    dotenv = ROOT / ".env"
    if dotenv.is_file():
        environ.Env.read_env(str(dotenv))


def own_redis() -> bool:
    """True when the user names a Redis."""
    return bool(os.environ.get("REDIS_URL"))


def own_model() -> bool:
    """True when the user names a model."""
    return bool(os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL"))


def own_ear() -> bool:
    """True when the user names who transcribes."""
    return bool(os.environ.get("OPENAI_TRANSCRIPTION_MODEL"))


def publish(values: Mapping[str, str], file: Path = LOCAL_ENV) -> None:
    """Tell processes started by hand where the embedded parts are."""
    _rewrite(file, {**_read(file), **values})


def withdraw(values: Mapping[str, str], file: Path = LOCAL_ENV) -> None:
    """The parts with these values have ended; others' values, and newer ones, stay."""
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
    text = "# Written by `make run` while it runs: where its embedded parts are.\n"
    text += "".join(f"{name}={value}\n" for name, value in sorted(values.items()))
    fresh = file.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(file)
