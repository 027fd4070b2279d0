"""Histograms of durations. They can be added, so percentiles of any period come from small rows."""

import math
from collections.abc import Iterable, Mapping

#: Buckets per doubling: the error of a percentile is at most a fifth.
_BUCKETS_PER_DOUBLING = 4
#: The upper bound of the first bucket, in seconds.
_FIRST_BOUND = 0.001


def bucket(seconds: float) -> int:
    """Return the bucket of a duration: bucket n, from 0, ends at 1 ms × 2^(n/4)."""
    if seconds <= _FIRST_BOUND:
        return 0
    return math.ceil(_BUCKETS_PER_DOUBLING * math.log2(seconds / _FIRST_BOUND) - 1e-9)


def upper_bound(number: int) -> float:
    """Return the upper bound of a bucket in seconds."""
    return float(_FIRST_BOUND * 2.0 ** (number / _BUCKETS_PER_DOUBLING))


def merge(histograms: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum of histograms (bucket number as text, as in JSON -> count)."""
    total: dict[str, int] = {}
    for histogram in histograms:
        for number, count in histogram.items():
            total[number] = total.get(number, 0) + count
    return total


def percentile(histogram: Mapping[str, int], share: float) -> float | None:
    """Return the seconds that `share` (0 to 1) of the durations do not exceed; None without durations."""
    left = math.ceil(share * sum(histogram.values()))
    for number in sorted(int(n) for n in histogram):
        left -= histogram[str(number)]
        if left <= 0:
            return upper_bound(number)
    return None
