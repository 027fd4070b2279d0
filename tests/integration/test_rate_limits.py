"""How much one may ask for: held until it goes on, refused beyond that, and never by accident."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from chat import changes, limits, services
from chat.limits import store
from chat.limits.rules import parse
from chat.limits.turns import reserve
from chat.models import Message
from queueing import control, redis
from queueing.errors import Rejected
from queueing.models import Job
from queueing.states import State
from tests.conftest import Valkey, point_at, wait_until
from tests.integration.tabs import browser

pytestmark = pytest.mark.django_db(transaction=True)

ALICE, BOB, HOME = "s:alice", "s:bob", "192.0.2.1"
numbers = itertools.count()
in_thread = database_sync_to_async


def limit(settings, most_wait=60, **rules):
    settings.LIMITS = settings.LIMITS | rules
    settings.LIMIT_MAX_WAIT = most_wait


def ask(owner=ALICE, text="Where to?", **more):
    request = {"companion": "travel", "request_id": f"r-{next(numbers)}"} | more
    return services.ask(owner=owner, text=text, **request)


def delay(asked):
    """Seconds the job was held, as it was accepted."""
    job = asked.job
    return (job.run_at - job.created_at).total_seconds() if job.run_at else 0.0


# --- turns -------------------------------------------------------------------------------------------


def turns_of(who):
    """The moments given out under each of the rules for somebody, in seconds."""
    found = {}
    for key in redis.client().scan_iter(f"{{buddy}}:turns:{who}:*"):
        times = sorted(score / 1000 for _, score in redis.client().zrange(key, 0, -1, withscores=True))
        found[key.split(f"{who}:")[1]] = times
    return found


def assert_kept(who, rules):
    for item in rules:
        times = turns_of(who).get(item.key_for(), [])
        for earlier, later in zip(times, times[item.amount :], strict=False):
            assert later - earlier >= item.get_expiry() - 0.0005, f"more than {item} at {later}"


def test_no_window_holds_one_too_many_with_two_web_processes(valkey: Valkey, monkeypatch):
    rules = parse("5 per 3 seconds;20 per 30 seconds")
    processes = [store._connect.__wrapped__(valkey.url) for _ in range(2)]
    mine = itertools.cycle(processes)
    monkeypatch.setattr(store, "_storage", lambda url: next(mine))

    with ThreadPoolExecutor(16) as pool:
        turns = list(pool.map(lambda _: reserve([(ALICE, rules)], most_wait=40), range(60)))
    granted = [turn for turn in turns if turn.granted]
    assert_kept(ALICE, rules)
    assert len({turn.entry for turn in granted}) == len(granted) == len(turns_of(ALICE)[rules[0].key_for()])
    assert len(granted) == 40, "20 in the first half minute, 20 in the second, and not one less"
    assert sum(turn.wait == 0 for turn in granted) == 5


acts = st.lists(
    st.tuples(st.sampled_from(["alice", "bob"]), st.integers(0, 90), st.booleans()), min_size=1, max_size=25
)


@given(acts)
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_limits_hold_whoever_asks_and_takes_back_in_whatever_order(valkey, acts):
    valkey.client.flushall()
    own, shared = parse("3 per 10 seconds;5/minute"), parse("4 per 20 seconds")
    given_out = []
    for who, most_wait, takes_back in acts:
        turn = reserve([(who, own), (HOME, shared)], most_wait=most_wait)
        assert turn.wait <= most_wait or not turn.granted
        if turn.granted:
            given_out.append(turn)
            latest = valkey.client.zrange(turn.keys[0], -1, -1, withscores=True)[0][1]
            at = valkey.client.zscore(turn.keys[0], turn.entry)
            assert at == latest, "one's own go on in the order they came"
        if takes_back and given_out:
            given_out.pop(len(given_out) // 2).give_back()
    for who, rules in (("alice", own), ("bob", own), (HOME, shared)):
        assert_kept(who, rules)


def test_who_comes_after_ones_own_comes_after_them_even_when_earlier_turns_were_given_back(valkey):
    rules = parse("3 per 10 seconds")
    turns = [reserve([(ALICE, rules), (HOME, rules)], most_wait=60) for _ in range(4)]
    for turn in turns[:3]:
        turn.give_back()
    assert reserve([(ALICE, rules), (HOME, rules)], most_wait=60).wait >= 9
    assert reserve([(BOB, rules), (HOME, rules)], most_wait=60).wait == 0, "strangers need not"


def test_nothing_of_it_stays_in_redis_for_longer_than_it_counts(valkey):
    for _ in range(3):
        reserve([(ALICE, parse("2/minute")), (HOME, parse("9/hour"))], most_wait=60)
    ttls = {key: valkey.client.ttl(key) for key in valkey.client.scan_iter("*turns*")}
    assert all(0 < ttl <= 3660 for ttl in ttls.values()), ttls
    assert len(ttls) == 2


# --- messages ----------------------------------------------------------------------------------------


def test_who_asks_much_is_held_and_goes_on_when_it_was_told(settings, workers):
    limit(settings, anonymous="2 per 4 seconds")
    asked = [ask() for _ in range(4)]
    assert [one.job.state for one in asked] == [State.WAITING] * 2 + [State.DELAYED] * 2
    assert [one.job.meta.get("delayReason") for one in asked[1:3]] == [None, "rate_limit"]
    turns = turns_of(ALICE)["LIMITER/2/4/second"]
    assert turns[2] - turns[0] >= 4
    due = [one.job.run_at or one.job.created_at for one in asked]
    started = [wait_until(lambda one=one: over(one), "the answer").started_at for one in asked]
    assert all(moment.timestamp() >= turn - 0.01 for moment, turn in zip(due, turns, strict=True))
    assert all(-0.01 <= (at - told).total_seconds() < 5 for at, told in zip(started, due, strict=True))
    assert started[2:] == sorted(started[2:])


def over(asked):
    return Job.objects.filter(pk=asked.job.pk, state=State.COMPLETED).first()


def test_beyond_the_bound_it_is_refused_with_the_time_and_nothing_is_stored(settings, valkey):
    limit(settings, most_wait=30, anonymous="1/minute;3/hour")
    ask()
    with pytest.raises(Rejected) as refused:
        ask()
    assert refused.value.code == "rate_limited"
    assert 29 <= refused.value.retry_after <= 30, "then it would be taken, and held for the rest"
    assert (Job.objects.count(), Message.objects.count()) == (1, 2)
    with pytest.raises(Rejected):
        ask()  # being refused does not put it off any further
    assert len(turns_of(ALICE)["LIMITER/1/1/minute"]) == 1


def test_repeating_a_request_costs_nothing(settings, valkey):
    limit(settings, most_wait=0, anonymous="2/minute")
    first = ask(request_id="again")
    for _ in range(5):
        assert ask(request_id="again").job == first.job
    ask()
    with pytest.raises(Rejected):
        ask()
    assert ask(request_id="again").job == first.job


def test_the_same_request_at_the_same_moment_costs_once(settings, valkey):
    limit(settings, anonymous="10/minute")

    def one(_):
        try:
            return ask(request_id="again").job
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(one, range(8)))) == 1
    assert len(turns_of(ALICE)["LIMITER/10/1/minute"]) == 1


def test_what_is_not_accepted_in_the_end_costs_nothing(settings, valkey):
    limit(settings, anonymous="10/minute")
    queues = settings.QUEUEING["QUEUES"]
    full = queues | {"openai-chat": queues["openai-chat"] | {"soft_limit": 1, "hard_limit": 1}}
    settings.QUEUEING = settings.QUEUEING | {"QUEUES": full}
    ask(owner=BOB)
    with pytest.raises(Rejected) as refused:
        ask()
    assert refused.value.code == "queue_full"
    assert turns_of(ALICE) == {}


def test_an_address_is_limited_whoever_it_says_it_is_and_a_user_for_themselves(settings, valkey):
    limit(settings, most_wait=0, anonymous="1/minute", user="2/minute", address="4/minute")
    ask(owner="s:1", address=HOME)
    with pytest.raises(Rejected):
        ask(owner="s:1", address="192.0.2.2")
    for _ in range(2):
        ask(owner="u:1", address=HOME)
    ask(owner="s:2", address=HOME)
    with pytest.raises(Rejected):
        ask(owner="s:3", address=HOME)
    ask(owner="s:3", address="192.0.2.2")
    ask(owner="s:4")  # nobody knows from where


def test_without_redis_everything_is_accepted(settings, valkey):
    limit(settings, most_wait=0, anonymous="1/minute", address="1/minute", requests="1/minute")
    point_at(settings, "redis://127.0.0.1:1/0")
    for _ in range(3):
        assert delay(ask(address=HOME)) == 0
        limits.check("requests", HOME)


def test_changing_what_waits_costs_nothing_and_asking_anew_does(settings, valkey):
    limit(settings, most_wait=0, anonymous="2/minute")
    asked = ask()
    for number in range(3):
        changes.edit(owner=ALICE, message_id=asked.message_id, text=f"Change {number}")
    control.cancel(asked.job.pk)
    changes.edit(owner=ALICE, message_id=asked.message_id, text="Anew", request_id="anew")
    with pytest.raises(Rejected):
        services.retry(owner=ALICE, job_id=asked.job.pk)


# --- as clients see it -------------------------------------------------------------------------------


def post(client, **body):
    return client.post("/api/travel", {"message": "Where to?"} | body, content_type="application/json")


def test_over_http_a_held_message_says_why_and_a_refused_one_when(settings, valkey):
    limit(settings, most_wait=60, anonymous="1/minute", address="9/minute")
    client = Client()
    first = post(client)
    assert first.status_code == 202, first.content
    held = post(client).json()
    assert (held["status"], held["position"]) == ("queued", None)
    wait = held["estimatedWait"]
    assert 59 <= wait["low"] == wait["high"] <= 60
    assert (wait["reason"], wait["place"], wait["of"]) == ("rate_limit", 1, 1)
    refused = post(client)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 59 <= int(refused["Retry-After"]) <= 60
    assert refused.json()["retryAfter"] > 0
    assert "You have sent many messages" in refused.json()["detail"]


def test_spoofed_addresses_count_as_the_real_one_unless_the_proxy_is_trusted(settings, valkey):
    limit(settings, most_wait=0, address="2/minute")

    def status(forwarded):
        return Client(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)

    assert [post(status(f"192.0.2.{n}")).status_code for n in range(3)] == [202, 202, 429]
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert [post(status(f"8.8.8.8, 192.0.2.{n}")).status_code for n in (1, 2, 2, 2)] == [202, 202, 202, 429]


def test_asking_too_much_is_refused_before_a_session_is_made(settings, valkey):
    limit(settings, requests="3/minute")
    answers = [Client().get("/api/threads") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json()["code"] == "rate_limited"
    assert "Retry-After" in answers[-1]
    assert "sessionid" not in answers[-1].cookies
    assert post(Client()).status_code == 429, "whatever is asked"


def test_attempts_to_sign_in_are_counted_by_address(settings, valkey):
    limit(settings, login="3/minute")
    for _ in range(3):
        limits.check("login", HOME)
    with pytest.raises(Rejected) as refused:
        limits.check("login", HOME)
    assert 58 <= refused.value.retry_after <= 60
    limits.check("login", "192.0.2.2")


def test_a_signed_in_user_has_the_users_limit(settings, valkey):
    limit(settings, most_wait=0, anonymous="1/minute", user="2/minute")
    client = Client()
    client.force_login(User.objects.create_user("ada"))
    assert [post(client).status_code for _ in range(3)] == [202, 202, 429]


async def test_a_socket_is_told_the_place_among_its_own_and_when_that_changes(settings, valkey):
    limit(settings, most_wait=100, anonymous="1 per 50 seconds")
    async with browser() as alice:
        tab = await alice.open()
        for number in range(3):
            await tab.ask(f"Question {number}", f"r-{number}")
        queued = {}
        while len(queued) < 3:
            event = await tab.hear()
            if event["type"] == "chat:queued":
                queued[event["requestId"]] = event
        told = [queued[f"r-{number}"]["estimatedWait"] for number in (1, 2)]
        assert [(wait["reason"], wait["place"]) for wait in told] == [("rate_limit", 1), ("rate_limit", 2)]
        assert [round(wait["low"] / 50) for wait in told] == [1, 2]
        await tab.say(type="job:cancel", jobId=queued["r-1"]["jobId"])
        while not (event["type"] == "chat:position" and event["requestId"] == "r-2" and
                   event["estimatedWait"].get("of") == 1):  # fmt: skip
            event = await tab.hear()
        assert event["estimatedWait"]["place"] == 1

        again = await alice.open()
        await again.say(type="job:watch", jobId=queued["r-2"]["jobId"])
        wait = (await again.hear_until("chat:position"))[-1]["estimatedWait"]
        assert (wait["reason"], wait["place"], wait["of"]) == ("rate_limit", 1, 1)

        await tab.ask("One too many", "r-9")
        rejected = (await tab.hear_until("chat:rejected"))[-1]
        assert (rejected["code"], rejected["requestId"]) == ("rate_limited", "r-9")
        assert rejected["retryAfter"] > 0
