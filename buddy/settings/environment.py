"""Where settings come from: the environment, `.env`, and `var/local.env`, in that order of precedence.

`var/local.env` is written by `make run` and names the embedded services, so that pieces started by
hand (`manage.py qcluster`, `manage.py runserver`) find them.
"""

import io
import os
import secrets
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
if (BASE_DIR / ".env").is_file():
    env.read_env(str(BASE_DIR / ".env"))
if (VAR_DIR / "local.env").is_file():
    # Who names a model of their own wants nothing of the embedded one, least of all its address.
    own_model = os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL")
    embedded = (VAR_DIR / "local.env").read_text().splitlines()
    env.read_env(io.StringIO("\n".join(line for line in embedded if not own_model or "REDIS_URL" in line)))


def local_secret_key() -> str:
    """A key made once and kept under var/, so that a clone runs without one and sessions survive."""
    path = VAR_DIR / "secret_key"
    if not path.is_file():
        VAR_DIR.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()
