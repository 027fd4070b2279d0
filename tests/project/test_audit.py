"""`make audit`: which findings fail, and how one is accepted for a while."""

import datetime
import json
from pathlib import Path

import pytest

from deploy import audit

TODAY = datetime.date(2026, 11, 30)
REPORT = {
    "dependencies": [
        {"name": "fine", "version": "1.0", "vulns": []},
        {"name": "private", "skip_reason": "Dependency not found on PyPI"},
        {
            "name": "old",
            "version": "0.1",
            "vulns": [{"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "fix_versions": ["0.2"]}],
        },
    ]
}


def entry(**changed: str) -> str:
    fields = {"id": '"CVE-2026-1"', "reason": '"We do not call it."', "until": "2026-12-31"} | changed
    return "[[accepted]]\n" + "\n".join(f"{name} = {value}" for name, value in fields.items() if value)


def test_report_is_read_with_what_was_not_looked_up():
    (finding,), skipped, total = audit.read_report(json.dumps(REPORT))
    assert (finding.package, finding.ids) == ("old", {"PYSEC-2026-1", "CVE-2026-1"})
    assert (skipped, total) == (1, 3)


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("", 1),
        (entry(), 0),
        (entry(id='"PYSEC-2026-1"'), 0),
        (entry(id='"CVE-2026-2"'), 1),
        (entry(until="2026-11-29"), 1),
    ],
)
def test_finding_fails_unless_it_is_accepted_today(accepted: str, code: int, capsys):
    findings, _, _ = audit.read_report(json.dumps(REPORT))
    assert audit.judge(findings, audit.accepted(accepted), TODAY) == code
    assert "old 0.1: CVE-2026-1, PYSEC-2026-1 (fixed in 0.2)" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [entry(reason=""), entry(until='"later"'), entry(reason='" "')])
def test_acceptance_without_reason_or_day_is_an_error(wrong: str):
    with pytest.raises(TypeError):
        audit.accepted(wrong)


@pytest.mark.parametrize(("report", "said"), [(None, "cannot be asked"), ("unknown", "knows none of the 1")])
def test_service_that_does_not_answer_fails_nothing_and_says_so(report, said, monkeypatch, capsys):
    unknown = json.dumps({"dependencies": [{"name": "x", "skip_reason": "not found"}]})
    monkeypatch.setattr(audit, "lock_files", lambda: [Path("app.txt")])
    monkeypatch.setattr(audit, "run_pip_audit", lambda lock: report and unknown)
    assert audit.main() == 0
    assert said in capsys.readouterr().out


def test_file_of_accepted_advisories_is_valid():
    audit.accepted(audit.ACCEPTED.read_text())
