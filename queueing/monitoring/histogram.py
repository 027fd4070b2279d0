"""Durations counted in buckets, so that percentiles of any stretch of time are sums of small rows."""

import math
from collections.abc import Iterable, Mapping

#: Buckets per doubling: a percentile is right to within a fifth.
_STEPS = 4
#: Seconds of the first bucket's upper bound.
_FIRST = 0.001


def bucket(seconds: float) -> int:
    """The bucket of a duration: n covers up to 1 ms × 2^(n/4), and more than the one before; from 0."""
    if seconds <= _FIRST:
        return 0
    return math.ceil(_STEPS * math.log2(seconds / _FIRST) - 1e-9)


def upper_bound(number: int) -> float:
    """Seconds at the top of a bucket."""
    return float(_FIRST * 2.0 ** (number / _STEPS))


def merge(histograms: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The sum of histograms (bucket number as text -> count, as JSON keeps them)."""
    total: dict[str, int] = {}
    for histogram in histograms:
        for number, count in histogram.items():
            total[number] = total.get(number, 0) + count
    return total


def percentile(histogram: Mapping[str, int], share: float) -> float | None:
    """Seconds that `share` (0 to 1) of the durations do not exceed; None when there are none."""
    left = math.ceil(share * sum(histogram.values()))
    for number in sorted(int(n) for n in histogram):
        left -= histogram[str(number)]
        if left <= 0:
            return upper_bound(number)
    return None
