"""The engine's settings: defaults, overrides, and what is said about wrong ones."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from queueing.checks import check_queueing
from queueing.conf import DJANGO_Q_QUEUE, ENVIRONMENT_OVERRIDES, Backoff, Limiter, get_conf, get_queue


@pytest.fixture
def configure(settings):
    """Read these settings anew."""

    def read(queue=None, **values):
        settings.QUEUEING = {"REDIS_URL": "redis://r", "QUEUES": {"my-queue": queue or {}}} | values
        return get_conf

    return read


@pytest.fixture
def environ(monkeypatch, configure):
    """Set variables of the queue `my-queue`, then read the settings anew."""

    def put(queue=None, **variables):
        for name, value in variables.items():
            monkeypatch.setenv(f"QUEUE_MY_QUEUE_{name}", value)
        configure(queue)
        return get_queue("my-queue")

    yield put
    get_conf.cache_clear()


def test_a_queue_for_plain_tasks_is_always_there(configure):
    assert DJANGO_Q_QUEUE in configure()().queues


def test_a_new_setting_is_read_at_once(configure):
    assert configure({"concurrency": 3})().queues["my-queue"].concurrency == 3
    assert configure({"concurrency": 4})().queues["my-queue"].concurrency == 4


@pytest.mark.parametrize(
    "name",
    sorted(set(ENVIRONMENT_OVERRIDES) - {"limiter", "backoff_delay", "timeout"}),
    ids=lambda name: name,
)
def test_each_number_has_an_environment_override(environ, name):
    assert getattr(environ({name: 1}, **{name.upper(): "12"}), name) == 12


def test_the_timeout_may_be_a_fraction(environ):
    assert environ(TIMEOUT="1.5").timeout == 1.5


def test_a_backoffs_delay_is_overridden_and_its_type_kept(environ):
    assert environ({"backoff": {"type": "fixed", "delay": 9}}, BACKOFF_DELAY="3").backoff == Backoff(
        type="fixed", delay=3
    )


def test_a_delay_for_a_queue_without_backoff_makes_it_exponential(environ):
    assert environ(BACKOFF_DELAY="3").backoff == Backoff(type="exponential", delay=3)


@pytest.mark.parametrize(("text", "limiter"), [("3/1.5", Limiter(max=3, duration=1.5)), ("0/1", None)])
def test_a_limiter_is_set_and_taken_away(environ, text, limiter):
    assert environ({"limiter": {"max": 9, "duration": 9}}, LIMITER=text).limiter == limiter


def test_an_empty_variable_overrides_nothing(environ):
    assert environ({"concurrency": 7}, CONCURRENCY="").concurrency == 7


@pytest.mark.parametrize("name", sorted(ENVIRONMENT_OVERRIDES))
def test_a_wrong_value_is_refused_with_the_variables_name(environ, name):
    with pytest.raises(ImproperlyConfigured, match=f"QUEUE_MY_QUEUE_{name.upper()}='many'"):
        environ(**{name.upper(): "many"})
    (said,) = check_queueing()
    assert f"QUEUE_MY_QUEUE_{name.upper()}" in said.msg


def test_unknown_settings_are_named(configure):
    with pytest.raises(ImproperlyConfigured, match="unknown settings: leese"):
        configure(LEESE=3)()


def test_unknown_settings_of_a_queue_are_named(configure):
    with pytest.raises(ImproperlyConfigured, match="'my-queue' has unknown settings: concurency"):
        configure({"concurency": 3})()


def test_an_unknown_queue_is_refused_with_those_there_are(configure):
    configure()
    with pytest.raises(ImproperlyConfigured, match=r"'mail' is not in .*my-queue"):
        get_queue("mail")


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("priority", {"priority": 0}),
        ("priority", {"priority": 1001}),
        ("concurrency", {"concurrency": 0}),
        ("global_concurrency", {"global_concurrency": -1}),
        ("attempts", {"attempts": 0}),
        ("timeout", {"timeout": 0}),
        ("backoff.type", {"backoff": {"type": "cubic"}}),
        ("backoff.delay", {"backoff": {"type": "fixed", "delay": -1}}),
        ("backoff.jitter", {"backoff": {"type": "fixed", "jitter": 1.1}}),
        ("limiter.max", {"limiter": {"max": -1, "duration": 1}}),
        ("limiter.duration", {"limiter": {"max": 1, "duration": 0}}),
        ("soft_limit", {"soft_limit": 9, "hard_limit": 8}),
        ("max_stalled", {"max_stalled": -1}),
    ],
)
def test_a_number_out_of_range_is_said_at_start(configure, name, spec):
    configure(spec)
    (said,) = [message for message in check_queueing() if message.id == "queueing.E002"]
    assert f"queue 'my-queue': {name} is out of range" in said.msg
    assert said.hint


@pytest.mark.parametrize("spec", [{"backoff": {"tipe": "fixed"}}, {"limiter": {"maximum": 3}}])
def test_an_unknown_word_inside_a_setting_is_an_error_at_start(configure, spec):
    configure(spec)
    assert [message.id for message in check_queueing()] == ["queueing.E001"]


def test_a_lease_too_short_for_its_heartbeat_is_warned_of(configure):
    configure(LEASE=4.0, HEARTBEAT=2.0)
    assert "queueing.W001" in [message.id for message in check_queueing()]


def test_a_kind_on_an_unknown_queue_is_an_error_at_start(configure):
    configure()
    said = [message for message in check_queueing() if message.id == "queueing.E003"]
    assert any("'test.echo'" in message.msg and "'test'" in message.msg for message in said)


def test_the_projects_own_settings_are_right():
    assert check_queueing() == []
