"""The engine's settings: defaults, environment overrides, and errors."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from queueing.checks import check_queueing
from queueing.conf import DJANGO_Q_QUEUE, ENVIRONMENT_OVERRIDES, Backoff, Limiter, get_conf, get_queue


@pytest.fixture
def configure(settings):
    """Call it to set these settings. It returns the function that reads them."""

    def read(queue=None, **values):
        settings.QUEUEING = {"REDIS_URL": "redis://r", "QUEUES": {"my-queue": queue or {}}} | values
        return get_conf

    return read


@pytest.fixture
def environ(monkeypatch, configure):
    """Call it to set variables of the queue `my-queue`. It returns the queue's definition."""

    def put(queue=None, **variables):
        for name, value in variables.items():
            monkeypatch.setenv(f"QUEUE_MY_QUEUE_{name}", value)
        configure(queue)
        return get_queue("my-queue")

    yield put
    get_conf.cache_clear()


def test_django_q_queue_without_setting_exists(configure):
    assert DJANGO_Q_QUEUE in configure()().queues


def test_get_conf_after_changed_setting_reads_it_again(configure):
    assert configure({"concurrency": 3})().queues["my-queue"].concurrency == 3
    assert configure({"concurrency": 4})().queues["my-queue"].concurrency == 4


@pytest.mark.parametrize(
    "name",
    sorted(set(ENVIRONMENT_OVERRIDES) - {"limiter", "backoff_delay", "timeout"}),
    ids=lambda name: name,
)
def test_environment_override_of_number_is_used(environ, name):
    assert getattr(environ({name: 1}, **{name.upper(): "12"}), name) == 12


def test_environment_override_of_timeout_accepts_fraction(environ):
    assert environ(TIMEOUT="1.5").timeout == 1.5


def test_environment_override_of_backoff_delay_keeps_type(environ):
    assert environ({"backoff": {"type": "fixed", "delay": 9}}, BACKOFF_DELAY="3").backoff == Backoff(
        type="fixed", delay=3
    )


def test_environment_override_of_backoff_delay_without_backoff_is_exponential(environ):
    assert environ(BACKOFF_DELAY="3").backoff == Backoff(type="exponential", delay=3)


@pytest.mark.parametrize(("text", "limiter"), [("3/1.5", Limiter(max=3, duration=1.5)), ("0/1", None)])
def test_environment_override_of_limiter_sets_or_removes_it(environ, text, limiter):
    assert environ({"limiter": {"max": 9, "duration": 9}}, LIMITER=text).limiter == limiter


def test_environment_override_empty_is_ignored(environ):
    assert environ({"concurrency": 7}, CONCURRENCY="").concurrency == 7


@pytest.mark.parametrize("name", sorted(ENVIRONMENT_OVERRIDES))
def test_environment_override_wrong_value_names_variable(environ, name):
    with pytest.raises(ImproperlyConfigured, match=f"QUEUE_MY_QUEUE_{name.upper()}='many'"):
        environ(**{name.upper(): "many"})
    (message,) = check_queueing()
    assert f"QUEUE_MY_QUEUE_{name.upper()}" in message.msg


def test_unknown_setting_is_named(configure):
    with pytest.raises(ImproperlyConfigured, match="unknown settings: leese"):
        configure(LEESE=3)()


def test_unknown_setting_of_queue_is_named(configure):
    with pytest.raises(ImproperlyConfigured, match="'my-queue' has unknown settings: concurency"):
        configure({"concurency": 3})()


def test_get_queue_unknown_name_lists_known_queues(configure):
    configure()
    with pytest.raises(ImproperlyConfigured, match=r"'mail' is not in .*my-queue"):
        get_queue("mail")


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("priority", {"priority": 0}),
        ("priority", {"priority": 1001}),
        ("concurrency", {"concurrency": -1}),
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
def test_check_number_out_of_range_is_error(configure, name, spec):
    configure(spec)
    (message,) = [message for message in check_queueing() if message.id == "queueing.E002"]
    assert f"queue 'my-queue': {name} is out of range" in message.msg
    assert message.hint


@pytest.mark.parametrize("spec", [{"backoff": {"tipe": "fixed"}}, {"limiter": {"maximum": 3}}])
def test_check_unknown_key_inside_setting_is_error(configure, spec):
    configure(spec)
    assert [message.id for message in check_queueing()] == ["queueing.E001"]


def test_check_lease_too_short_for_heartbeat_is_warning(configure):
    configure(LEASE=4.0, HEARTBEAT=2.0)
    assert "queueing.W001" in [message.id for message in check_queueing()]


def test_check_kind_on_unknown_queue_is_error(configure):
    configure()
    found = [message for message in check_queueing() if message.id == "queueing.E003"]
    assert any("'test.echo'" in message.msg and "'test'" in message.msg for message in found)


def test_check_settings_of_project_are_valid():
    assert check_queueing() == []
