"""The processes: ready when they say so, not growing, not ending by themselves."""

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.checks.violation import Violation
from tests.chaos.evidence import Evidence
from tests.chaos.system.services import Sample

#: Faults during which no web process is ready, with the Redis for which this is so.
DOWN = {"redis.refuse": "", "redis.restart": "one", "redis.stop": "one", "postgres.stop": ""}
#: Seconds until /readyz must show a failure, and until it must show that all is well again.
NOTICE, RECOVER = 5.0, 20.0
#: Seconds after its start from which a process should not grow, and what it may still grow.
WARM, MEGABYTES, FILES = 60.0, 80.0, 60
#: Connections of a visitor: a socket, and one for requests. All may move to one web process.
CONNECTIONS = 2


def unready(evidence: Evidence) -> Iterator[Violation]:
    """/readyz is 200 exactly when the services work, and at the end everywhere.

    No answer at all is no lie: the process has just started.
    """
    down = [f for f in evidence.applied if DOWN.get(f.name) in ([""] + ["one"] * evidence.one_redis)]
    for probe in evidence.probes:
        if probe.status == 200:
            for fault in down:
                from_, until = fault.complete
                if from_ + NOTICE < probe.at < until:
                    seconds = probe.at - from_
                    yield Violation("", f"{probe.web} says ready, {seconds:.0f} s after {fault.name}")
        elif probe.status and _is_quiet(evidence, probe.at):
            text = f"{probe.web} answers {probe.status} long after the last fault: {probe.checks}"
            yield Violation("", text)
    for web, status in {probe.web: probe.status for probe in evidence.probes}.items():
        if status != 200:
            yield Violation("", f"{web} answers {status} at the end")


def _is_quiet(evidence: Evidence, at: float) -> bool:
    return all(not fault.began <= at <= fault.ended + RECOVER for fault in evidence.applied)


def grown(evidence: Evidence) -> Iterator[Violation]:
    """No process grows without bound in memory or open files.

    While a service is away, requests wait and hold files. So the least of the early samples is compared with
    the least of the late ones.
    """
    by_process: dict[str, list[Sample]] = defaultdict(list)
    for sample in evidence.samples:
        by_process[sample.process].append(sample)
    for name, samples in by_process.items():
        warm = [sample for sample in samples if sample.at - samples[0].at >= WARM]
        if len(warm) < 2:
            continue
        halves = warm[: len(warm) // 2], warm[len(warm) // 2 :]
        before, after = (min(sample.megabytes for sample in half) for half in halves)
        if after > before * 1.5 + MEGABYTES:
            yield Violation("", f"{name} grew from {before:.0f} to {after:.0f} MB")
        before, after = (min(sample.files for sample in half) for half in halves)
        if after > before + FILES + CONNECTIONS * evidence.visitors:
            yield Violation("", f"{name} grew from {before} to {after} open files")


def crashed(evidence: Evidence) -> Iterator[Violation]:
    """No process ends that was not killed, and each stops when asked to."""
    return (Violation("", text) for text in evidence.crashes)
