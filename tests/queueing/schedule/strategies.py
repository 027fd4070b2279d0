"""The random choices of the schedule's state machine."""

from hypothesis import strategies as st

from queueing.conf import Limiter

from .model import HOUR, QUEUES

queues = st.sampled_from(sorted(QUEUES))
clusters = st.sampled_from(["c1", "c2"])
#: Indexes of a queue's jobs (the active ones first), each with whether the token is the right one.
picks = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from([True, True, True, False])), min_size=1, max_size=4
)
#: The last one has a share, in the form in which Redis holds owners.
owners = st.sampled_from(["", "a", "a", "a", "b", "a b", "c\x1en"])
#: Owner, priority, delayed.
spec = st.tuples(owners, st.integers(1, 3), st.sampled_from([False] * 4 + [True]))
specs = st.lists(spec, min_size=2, max_size=6)
rarely = st.sampled_from([False] * 4 + [True])
#: The limits that operators may change live, each present at times.
limits = st.fixed_dictionaries(
    {},
    optional={
        "concurrency": st.integers(1, 5),
        "global_concurrency": st.integers(0, 5),
        "owner_concurrency": st.integers(0, 2),
        "limiter": st.one_of(st.none(), st.builds(Limiter, st.integers(1, 6), st.just(HOUR))),
    },
)
#: Weights of owners and of a share.
weights = st.dictionaries(st.sampled_from(["a", "b", "\x1en"]), st.integers(1, 16), max_size=3)
