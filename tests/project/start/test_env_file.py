"""What people write into `.env`: comments, spaces, quotes, misspelt names and wrong values (O12)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from buddy.settings.variables import Variables
from buddy.start import checks, variable_names
from buddy.start.env_file import EnvFile, read_env_file

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=gpt-5 # mine", "gpt-5"),
        ("A=gpt-5\t# mine", "gpt-5"),
        ("A=abc#def", "abc#def"),
        ("A='a #b' # c", "a #b"),
        ('A="a #b" # c', "a #b"),
        (" export A = x ", "x"),
        ("A=$HOME/${B}", "$HOME/${B}"),
        ("A=", ""),
        ("A=x=y", "x=y"),
        ("A=one\nA=two", "two"),
        ("\ufeffA=x\r", "x"),
    ],
)
def test_env_file_line_has_the_value_that_other_programs_read(tmp_path, line, value):
    path = tmp_path / ".env"
    path.write_text(line)
    assert read_env_file(path) == EnvFile({"A": value}, ())


def test_env_file_with_broken_lines_names_them(tmp_path):
    path = tmp_path / ".env"
    path.write_text("A=1\n\n\nOPENAI_API_KEY sk-1\n# a comment\nB='open\nC=3\n")
    found = read_env_file(path)
    assert found.unreadable == (4, 6)
    assert found.values["A"] == "1"
    assert found.values["C"] == "3"


def run(**variables: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py check` with these variables."""
    command = [sys.executable, "manage.py", "check"]
    env = {"PATH": os.environ["PATH"], "SECRET_KEY": "x" * 60} | variables
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)


def test_wrong_values_stop_every_command_with_a_line_for_each_and_no_secret():
    done = run(DEBUG="maybe", EMAIL_PORT="70000", SESSION_DAYS="0,5", DATABASE_URL="db:secret@host/x")
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert [line.strip() for line in lines[1:]] == [
        "EMAIL_PORT=70000: use a whole number, 1 to 65535.",
        "DATABASE_URL cannot be read: use an address that begins with postgres:// or sqlite:///, and "
        "percent-encode its password.",
        "DEBUG=maybe: use 1 or 0.",
        "SESSION_DAYS=0,5: use a number, 0.01 or more.",
    ]


def test_wrong_value_stops_the_web_server_with_the_same_line():
    command = [sys.executable, "-c", "import buddy.asgi"]
    env = {"PATH": os.environ["PATH"], "DB_POOL": "many", "DATABASE_URL": "postgres://h/x"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 2
    assert "DB_POOL=many: use a whole number, 1 or more." in done.stderr
    assert "Traceback" not in done.stderr


def test_misspelt_name_in_the_environment_is_reported_with_the_right_one():
    done = run(OPENAI_MODELL="x", QUEUE_OPENAI_CHAT_CONCURENCY="3", OPENAI_ORG_ID="org", SOMETHING="1")
    assert "OPENAI_MODELL in the environment is not a setting." in done.stderr
    assert "Did you mean OPENAI_MODEL?" in done.stderr
    assert "Did you mean QUEUE_OPENAI_CHAT_CONCURRENCY?" in done.stderr
    assert "OPENAI_ORG_ID" not in done.stderr
    assert "SOMETHING" not in done.stderr


def test_every_unknown_name_in_env_file_is_reported(monkeypatch):
    found = EnvFile({"SOMETHING": "1", "openai_model": "x", "POSTGRES_PASSWORD": "x", "DEBUG": "0"}, (7,))
    for module in (checks, variable_names):
        monkeypatch.setattr(module, "ENV_FILE", found)
    messages = [(message.id, message.msg, message.hint) for message in checks.check_variable_names(None)]
    assert [message[:2] for message in messages] == [
        ("buddy.W002", "SOMETHING in .env is not a setting."),
        ("buddy.W002", "openai_model in .env is not a setting."),
        ("buddy.W003", "Line 7 of .env has no effect."),
    ]
    assert "Did you mean OPENAI_MODEL?" in messages[1][2]


def test_comment_in_a_value_of_the_environment_is_reported(monkeypatch):
    """Docker and systemd read `.env` as well, and keep it."""
    monkeypatch.setenv("OPENAI_MODEL", "gpt-5 # mine")
    assert [message.id for message in checks.check_variable_names(None)] == ["buddy.W004"]


@pytest.mark.parametrize("text", ["1", "true", "YES", " on ", "0", "False", "no", "off"])
def test_flag_in_usual_spellings_is_read(text):
    env = Variables({"FLAG": text})
    assert env.bool("FLAG") is (text.strip().lower() in ("1", "true", "yes", "on"))
    assert env.wrong == {}


@pytest.mark.parametrize("text", ["", " "])
def test_empty_number_and_flag_are_the_default(text):
    env = Variables({"A": text})
    assert (env.int("A", default=7), env.float("A", default=0.5), env.bool("A", default=True)) == (
        7,
        0.5,
        True,
    )
    assert env.wrong == {}


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "1e400", "1.000,5", "x"])
def test_number_that_is_none_or_out_of_range_is_wrong(text):
    env = Variables({"A": text})
    assert env.float("A", default=2) == 2
    assert env.wrong == {"A": f"A={text}: use a number, 0 or more."}
    assert Variables({"A": text}).int("A", default=3) == 3


@pytest.mark.parametrize(
    ("variables", "model"),
    [
        ({"OPENAI_API_KEY": "sk-1"}, "gpt-5.4-mini"),
        ({"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": "https://eu.api.openai.com/v1"}, "gpt-5.4-mini"),
        ({"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": "https://notopenai.com/v1"}, ""),
        ({"OPENAI_API_KEY": "sk-1", "OPENAI_MODEL": "mine"}, "mine"),
        ({}, ""),
    ],
)
def test_key_of_openai_alone_is_enough(variables, model):
    """O3: elsewhere models have other names, so there the name is required."""
    env = {"PATH": os.environ["PATH"], "SECRET_KEY": "x" * 60, "REDIS_URL": "redis://h"} | variables
    command = [sys.executable, "-c", "import buddy.settings as s; print(s.OPENAI_MODEL)"]
    assert subprocess.check_output(command, cwd=ROOT, env=env, text=True).strip() == model
