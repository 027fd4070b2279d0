"""`make audit`: look up every locked package in the public advisories, with pip-audit.

A finding fails, unless deploy/accepted-advisories.toml accepts it for now. An advisory service that cannot be
asked does not fail: then nothing is known, and this says so.
"""

import datetime
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.lock import tools_python

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "deploy" / "locks"
ACCEPTED = ROOT / "deploy" / "accepted-advisories.toml"
#: Exit codes of pip-audit: nothing found, something found.
_RAN = (0, 1)


@dataclass(frozen=True)
class Finding:
    """An advisory that concerns a locked package."""

    package: str
    version: str
    ids: frozenset[str]
    """Its id and its names in other databases."""
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        fixed = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "there is no fixed version yet"
        return f"{self.package} {self.version}: {', '.join(sorted(self.ids))} ({fixed})"


@dataclass(frozen=True)
class Acceptance:
    """An advisory that is known and does not fail until a day."""

    id: str
    reason: str
    until: datetime.date


def main() -> int:
    """Audit all lock files and print what was found. Return the exit code."""
    os.chdir(ROOT)
    findings: set[Finding] = set()
    asked = unknown = 0
    for lock in lock_files():
        report = run_pip_audit(lock)
        if report is None:
            print("audit: the advisory service cannot be asked, so nothing is known about these versions.")
            return 0
        found, skipped, total = read_report(report)
        findings |= found
        asked, unknown = asked + total - skipped, unknown + skipped
    if not asked:
        print(f"audit: the advisory service knows none of the {unknown} packages, so nothing is known.")
        return 0
    print(f"audit: {asked} locked packages looked up, {unknown} could not be.")
    return judge(findings, accepted(ACCEPTED.read_text()), datetime.date.today())


def lock_files() -> list[Path]:
    """Return the lock files."""
    return sorted(LOCKS.glob("*.txt"))


def run_pip_audit(lock: Path) -> str | None:
    """Return pip-audit's report about a lock file as JSON; None if it could not ask."""
    command = [tools_python(), "-m", "pip_audit", "--require-hashes", "--disable-pip", "--no-deps"]
    done = subprocess.run([*command, "-r", str(lock), "-f", "json"], capture_output=True, text=True)
    return done.stdout if done.returncode in _RAN and done.stdout.startswith("{") else None


def read_report(report: str) -> tuple[set[Finding], int, int]:
    """Return the findings in a report, and the numbers of packages that were not looked up and of all."""
    packages = json.loads(report)["dependencies"]
    found = {
        Finding(
            package=package["name"],
            version=package["version"],
            ids=frozenset([advisory["id"], *advisory.get("aliases", [])]),
            fixed_in=tuple(advisory.get("fix_versions", [])),
        )
        for package in packages
        for advisory in package.get("vulns", [])
    }
    return found, sum("skip_reason" in package for package in packages), len(packages)


def accepted(text: str) -> list[Acceptance]:
    """Return the entries of accepted-advisories.toml. Raise `TypeError` for one without reason or day."""
    entries = [Acceptance(**entry) for entry in tomllib.loads(text).get("accepted", [])]
    for entry in entries:
        if not entry.reason.strip() or not isinstance(entry.until, datetime.date):
            raise TypeError(f"{entry.id}: a reason and a day (until = 2027-01-31) are needed")
    return entries


def judge(findings: Iterable[Finding], known: Iterable[Acceptance], today: datetime.date) -> int:
    """Print each finding. Return 1 if one of them is not accepted today."""
    valid = {entry.id: entry for entry in known if entry.until >= today}
    failed = False
    for finding in sorted(findings, key=str):
        entry = next((valid[one] for one in finding.ids if one in valid), None)
        failed = failed or entry is None
        print(
            f"  {finding}: " + (f"accepted until {entry.until}: {entry.reason}" if entry else "NOT ACCEPTED")
        )
    if failed:
        print("audit: update the package (make lock), or accept it in deploy/accepted-advisories.toml.")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
