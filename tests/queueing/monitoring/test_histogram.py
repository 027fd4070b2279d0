"""Buckets and percentiles of histograms."""

from hypothesis import given
from hypothesis import strategies as st

from queueing.monitoring import histogram

durations = st.lists(st.floats(0, 100_000, allow_nan=False), min_size=1, max_size=50)


@given(st.floats(0, 1_000_000, allow_nan=False))
def test_bucket_contains_duration(seconds):
    number = histogram.bucket(seconds)
    assert number >= 0
    assert seconds <= histogram.upper_bound(number) * 1.000001
    assert number == 0 or seconds > histogram.upper_bound(number - 1) * 0.999999


@given(durations, st.floats(0.01, 1))
def test_percentile_is_at_most_a_fifth_too_high(values, share):
    counts = histogram.merge({str(histogram.bucket(value)): 1} for value in values)
    told = histogram.percentile(counts, share)
    true = sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]
    assert told is not None
    assert true <= told * 1.000001
    assert told <= max(true * 1.2, 0.001)


def test_percentile_of_empty_histogram_is_none():
    assert histogram.percentile({}, 0.5) is None
