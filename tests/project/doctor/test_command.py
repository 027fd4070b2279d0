"""`manage.py doctor` as a command: it works and ends when all services are down."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from buddy.doctor import machine
from buddy.doctor.findings import OK, PROBLEM, WARNING, Finding, Look, one_line, worst
from buddy.doctor.management.commands import doctor as command
from buddy.doctor.management.commands.doctor import looks
from buddy.doctor.run import run

ROOT = Path(__file__).resolve().parents[3]


def doctor(*options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with nothing but these variables."""
    arguments = [sys.executable, "manage.py", "doctor", *options]
    env = {"PATH": os.environ["PATH"], "SECRET_KEY": "x" * 60} | variables
    return subprocess.run(arguments, cwd=ROOT, env=env, capture_output=True, text=True, timeout=90)


DOWN = {
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "DATABASE_URL": "postgres://u:db-secret@127.0.0.1:1/x",
    "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
    "OPENAI_MODEL": "m",
    "EMAIL_HOST": "127.0.0.1",
    "EMAIL_PORT": "1",
    "CLIENT_URL": "http://127.0.0.1:1",
}


def test_doctor_with_everything_down_names_each_and_ends(tmp_path):
    done = doctor("--json", STATIC_ROOT=str(tmp_path / "static"), **DOWN)
    assert (done.returncode, done.stderr) == (2, "")
    report = json.loads(done.stdout)
    assert report["status"] == "problem"
    problems = [finding for finding in report["findings"] if finding["level"] == "problem"]
    areas = {finding["area"]: finding["advice"] for finding in problems}
    assert set(areas) >= {"database", "redis", "model", "queues", "web", "static", "mail"}
    assert "collectstatic" in areas["static"]
    assert all(finding["advice"] for finding in problems)
    assert "db-secret" not in done.stdout


def test_doctor_prints_a_line_for_each_finding_and_a_summary(monkeypatch, capsys):
    found = [Finding(OK, "a"), Finding(WARNING, "b", "do c")]
    monkeypatch.setattr(command, "looks", lambda **options: [Look("redis", lambda: found, "d")])
    with pytest.raises(SystemExit, match="1"):
        call_command("doctor", no_color=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "ok       redis     a",
        "warning  redis     b",
        "                   → do c",
        "",
        "0 problems, 1 warnings, 1 ok",
    ]


def test_look_that_raises_is_a_problem_with_its_advice():
    def examine():
        yield Finding(OK, "before")
        raise ValueError("a\nb \x1b[31m")

    [(_, [found])] = run([Look("x", examine, "do this")])
    assert found == Finding(PROBLEM, "ValueError: a b ?[31m", "do this")


def test_every_look_has_advice_and_a_deadline():
    assert all(look.advice and look.deadline <= 60 for look in looks())
    assert len({look.name for look in looks()}) == len(looks())


def test_worst_level_decides_the_exit_code():
    assert worst([]) == OK
    assert worst([Finding(OK, ""), Finding(PROBLEM, ""), Finding("warning", "")]) == PROBLEM
    assert one_line("a\tb\u202ec") == "a b?c"


def test_disk_that_is_nearly_full_is_a_problem(settings):
    settings.MIN_FREE_MB = 2**40
    assert {finding.level for finding in machine.examine_disk()} == {PROBLEM}


@pytest.mark.skipif(os.getuid() != 0, reason="only root makes files of other users")
def test_files_of_another_user_are_a_warning_for_root(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    (tmp_path / "secret_key").touch()
    os.chown(tmp_path / "secret_key", 65534, 65534)
    texts = [finding.text for finding in machine.examine_files()]
    assert any("secret_key belongs to nobody" in text for text in texts)
