"""The report of a run: a table, the violations with the faults around them, and a JSON file."""

import json
import os
import platform
import re
import statistics
import time
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.chaos.checks import Violation
from tests.chaos.checks.limits import most_at_once, most_starts
from tests.chaos.evidence import Applied, Evidence
from tests.chaos.options import Options

#: Violations of one rule that are printed; the file has all.
SHOWN = 3
#: Seconds for which a fault that has ended may still be the cause.
AFTERMATH = 25.0


def figures(evidence: Evidence) -> dict[str, Any]:
    """Return the figures of a run."""
    accepted = [t for t in evidence.transcripts if t.accepted_at]
    waits = sorted(t.ended_at - t.asked_at for t in accepted if t.ended_at)
    rows = [row for row in evidence.rows if row.request_id]
    keyed = [call for call in evidence.calls if call.key]
    return {
        "asked": len(evidence.transcripts),
        "accepted": len(accepted),
        "ends": dict(Counter(row.state for row in rows)),
        "codes of failures": dict(Counter(row.code for row in rows if row.state == "failed")),
        "runs": sum(row.runs for row in rows),
        "runs that lost their worker": sum(row.stalls for row in rows),
        "calls": len(evidence.calls),
        "jobs called more than once": sum(n > 1 for n in Counter(call.key for call in keyed).values()),
        "faults": len(evidence.applied),
        "seconds to the end (median, 95 %, longest)": _spread(waits),
        "seconds from a fault's end to the next answer (median, 95 %, longest)": _spread(
            _recoveries(evidence)
        ),
        "most active": {
            limit.queue: most_at_once([c for c in evidence.calls if c.queue == limit.queue])
            for limit in evidence.limits
        },
        "most starts": {
            limit.queue: most_starts([c for c in evidence.calls if c.queue == limit.queue], limit.starts[1])
            for limit in evidence.limits
            if limit.starts
        },
        "largest process (MB, open files)": [
            round(max((sample.megabytes for sample in evidence.samples), default=0)),
            max((sample.files for sample in evidence.samples), default=0),
        ],
    }


def _spread(values: list[float]) -> list[float]:
    if not values:
        return []
    chosen = (statistics.median(values), values[int(len(values) * 0.95)], values[-1])
    return [round(value, 1) for value in chosen]


def _recoveries(evidence: Evidence) -> list[float]:
    """Return, for each fault, the seconds from its end to the next answer."""
    ends = sorted(t.ended_at for t in evidence.transcripts if t.ended_at)
    places = ((fault.ended, bisect(ends, fault.ended)) for fault in evidence.applied)
    return sorted(ends[place] - ended for ended, place in places if place < len(ends))


def around(evidence: Evidence, violation: Violation, until: float) -> list[Applied]:
    """Return the faults that may be the cause of a violation: those during the life of its question."""
    for transcript in evidence.transcripts:
        if transcript.question.request_id == violation.request_id:
            ends = transcript.ended_at or until
            return [
                f for f in evidence.applied if f.began < ends and f.ended + AFTERMATH > transcript.asked_at
            ]
    return []


def machine() -> str:
    """Return what runs here, without names."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    return f"{os.cpu_count()} cores, {memory:.0f} GB, {system}, Python {platform.python_version()}"


def print_report(
    options: Options, evidence: Evidence, found: dict[str, list[Violation]], began: float
) -> dict[str, int]:
    """Print everything that a reader needs; return the number of violations of each rule."""
    print()
    for name, value in figures(evidence).items():
        print(f"  {name:70} {value}")
    print()
    for rule, violations in found.items():
        print(f"  {rule:14} {len(violations) or 'none'}")
    for rule, violations in found.items():
        for alike in _grouped(violations):
            for violation in alike[:SHOWN]:
                _print_violation(options, evidence, rule, violation, began)
            if len(alike) > SHOWN:
                print(f"{rule}: and {len(alike) - SHOWN} more like these")
    return {rule: len(violations) for rule, violations in found.items()}


def _grouped(violations: Sequence[Violation]) -> list[list[Violation]]:
    """Return the violations in groups whose texts differ only in numbers and quotations."""
    groups: dict[str, list[Violation]] = defaultdict(list)
    for violation in violations:
        groups[re.sub(r"\d+|'.*'|\".*\"", "", violation.text)].append(violation)
    return list(groups.values())


def _print_violation(
    options: Options, evidence: Evidence, rule: str, violation: Violation, began: float
) -> None:
    print(f"\n{rule}: {violation.request_id} {violation.text}")
    causes = around(evidence, violation, time.time())
    if not causes:
        return
    for fault in causes:
        lasted = fault.ended - fault.began
        print(f"    {fault.began - began:6.1f} s  {fault.number:3} {fault.name} ({lasted:.1f} s)")
    seconds = max(fault.ended for fault in causes) - began + 10
    print("   ", options.command(only=[fault.number for fault in causes], seconds=seconds))


def write(
    path: Path,
    options: Options,
    versions: Sequence[str],
    evidence: Evidence,
    found: dict[str, list[Violation]],
) -> None:
    """Write the figures of the run, and all that is known of each violation, as JSON."""
    content = {
        "at": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
        "machine": machine(),
        "versions": list(versions),
        "command": options.command(),
        "faults": [[f.number, f.name, f.began, f.ended] for f in evidence.applied],
        "figures": figures(evidence),
        "violations": {rule: [_known(evidence, one) for one in ones] for rule, ones in found.items()},
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, default=vars))


def _known(evidence: Evidence, violation: Violation) -> dict[str, Any]:
    name = violation.request_id
    return {
        "request": name,
        "text": violation.text,
        "rows": evidence.by_request.get(name, []),
        "calls": [call for call in evidence.calls if name and call.key == name],
        "transcripts": [t for t in evidence.transcripts if t.question.request_id == name],
    }
