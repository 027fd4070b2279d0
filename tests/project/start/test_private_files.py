"""S4: other users of the machine read nothing of `var/` and of the database, from the first moment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from buddy.start.checks import check_private_files
from buddy.start.private_files import keep_private, open_files
from deploy.local import valkey
from tests.support.valkey import free_port, wait_until

ROOT = Path(__file__).resolve().parents[3]

#: A new process with the usual umask writes a table; its files are listed while it has them open.
WRITE = """
import os, sys
os.umask(0o022)
import django
django.setup()
from django.db import connection
connection.cursor().execute("CREATE TABLE x (y)")
for name in os.listdir(sys.argv[1]):
    print(name, oct(os.stat(os.path.join(sys.argv[1], name)).st_mode & 0o777))
"""


def test_new_database_is_private_with_its_wal_and_shm(tmp_path):
    env = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "buddy.settings",
    }
    command = [sys.executable, "-c", WRITE, str(tmp_path)]
    written = subprocess.check_output(command, cwd=ROOT, env=env, text=True)
    modes = dict(line.split() for line in written.splitlines())
    assert modes == {"db.sqlite3": "0o600", "db.sqlite3-wal": "0o600", "db.sqlite3-shm": "0o600"}


@pytest.fixture
def umask():
    """Keep the umask of the test process."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_var_of_an_earlier_version_is_closed_with_all_its_files(tmp_path):
    var = tmp_path / "var"
    (var / "valkey").mkdir(parents=True)
    (var / "program").touch(mode=0o755)
    for name in ("db.sqlite3", "db.sqlite3-wal", "valkey/appendonly.aof"):
        (var / name).touch(mode=0o644)
    keep_private(var)
    (var / "new").touch()
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (var, *var.rglob("*"))}
    assert modes == {
        "var": "0o700",
        "valkey": "0o700",
        "program": "0o700",
        "appendonly.aof": "0o600",
        "db.sqlite3": "0o600",
        "db.sqlite3-wal": "0o600",
        "new": "0o600",
    }
    assert open_files(var, str(var / "db.sqlite3")) == []


@pytest.mark.usefixtures("umask")
def test_check_names_what_others_can_read(tmp_path, settings, monkeypatch):
    settings.VAR_DIR = tmp_path / "var"
    settings.BASE_DIR = tmp_path
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "elsewhere.sqlite3")}
    monkeypatch.setitem(settings.DATABASES, "default", settings.DATABASES["default"] | sqlite)
    settings.STATIC_ROOT = settings.VAR_DIR / "static"
    keep_private(settings.VAR_DIR)
    settings.STATIC_ROOT.mkdir()
    settings.STATIC_ROOT.chmod(0o755)  # a web server that runs as another user may serve it
    assert check_private_files(None) == []
    for path in (settings.VAR_DIR / "secret_key", tmp_path / "elsewhere.sqlite3-wal"):
        path.touch()
        path.chmod(0o640)
    (warning,) = check_private_files(None)
    assert "secret_key" in warning.msg
    assert "elsewhere.sqlite3-wal" in warning.msg
    assert warning.hint.startswith("Run: chmod -R go-rwx ")


def test_embedded_valkey_answers_only_with_the_password_of_a_private_file(tmp_path):
    directory, port = tmp_path / "valkey", free_port()
    process = subprocess.Popen(valkey.command(directory, port, "a-password"), stdout=subprocess.DEVNULL)
    try:
        owner = redis.Redis(port=port, password="a-password")

        def answers():
            try:
                return owner.ping()
            except redis.ConnectionError:
                return False

        wait_until(answers, "Valkey")
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=port).get("x")
        assert open_files(directory, "") == []
        assert "a-password" not in Path(f"/proc/{process.pid}/cmdline").read_text()
    finally:
        process.kill()
        process.wait()
