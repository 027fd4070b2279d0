"""The report of a chaos run prints what is wrong with a way to repeat it, and keeps all that is known."""

import json

from tests.chaos import report
from tests.chaos.checks import judge
from tests.chaos.evidence import Applied, Evidence
from tests.chaos.options import parse
from tests.chaos.test_checks import call, row, transcript


def evidence() -> Evidence:
    return Evidence(
        transcripts=[transcript(1), transcript(2)],
        rows=[row(1), row(2, state="active")],
        calls=[call(1), call(2)],
        applied=[Applied(3, "redis.flush", 103.0, 105.0), Applied(9, "web.kill", 300.0, 302.0)],
    )


def test_violation_is_printed_with_the_faults_around_it_and_a_command(capsys):
    options, found = parse(["--seed", "7"]), judge(evidence())
    counts = report.print_report(options, evidence(), found, 100.0)
    printed = capsys.readouterr().out
    assert counts["stuck"] == 1
    assert "v01-0002 active on record" in printed
    assert "redis.flush" in printed
    assert "web.kill" not in printed
    assert "--seed 7 --minutes 0.25" in printed
    assert "--only 3" in printed


def test_report_file_has_figures_and_everything_about_each_violation(tmp_path):
    path = tmp_path / "report.json"
    found = judge(evidence())
    report.write(path, parse(["--seed", "7"]), ["Valkey 9"], evidence(), found)
    written = json.loads(path.read_text())
    assert written["figures"]["ends"] == {"completed": 1, "active": 1}
    (stuck,) = written["violations"]["stuck"]
    assert [one["key"] for one in stuck["calls"]] == ["v01-0002"]
    assert stuck["rows"][0]["state"] == "active"
    assert stuck["transcripts"][0]["question"]["request_id"] == "v01-0002"
