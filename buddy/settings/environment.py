"""The sources of settings: the environment, `.env` and `var/local.env`, in this order of precedence.

`make run` writes the addresses of embedded services to `var/local.env`, so that processes started by hand
(`manage.py qcluster`, `manage.py runserver`) find them.
"""

import os
import secrets
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from buddy.start.env_file import add_to_environment, read_env_file
from buddy.start.private_files import keep_private

from .variables import Variables

BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = BASE_DIR / "var"
keep_private(VAR_DIR)  # first: every process reads the settings before it creates a file

env = Variables(os.environ)
#: The names of the variables in `.env`, and the lines that are not variables.
ENV_FILE = add_to_environment(BASE_DIR / ".env")
# With a model of their own, users want no setting of the embedded model.
_own_model = os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL")
for _name, _value in read_env_file(VAR_DIR / "local.env").values.items():
    if not _own_model or "REDIS_URL" in _name:
        os.environ.setdefault(_name, _value)


def local_secret_key() -> str:
    """Return the key in var/secret_key. Make it at the first call, so that sessions survive restarts."""
    path = VAR_DIR / "secret_key"
    if not path.is_file():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()


def with_password(url: str, password: str) -> str:
    """Return REDIS_URL with the password of REDIS_PASSWORD, which may stand beside a user in the URL.

    Raise `ImproperlyConfigured` if the URL has another password.
    """
    scheme, separator, rest = url.partition("://")
    if not password or not separator:
        return url  # the engine's system check reports a URL without a scheme
    userinfo, at, _ = urlsplit(url).netloc.rpartition("@")
    user, _, given = userinfo.partition(":")
    if given and unquote(given) != password:
        raise ImproperlyConfigured(
            "REDIS_URL and REDIS_PASSWORD have different passwords: remove one of them"
        )
    return f"{scheme}://{user}:{quote(password, safe='')}@{rest.removeprefix(userinfo + at)}"
