"""`manage.py doctor` with real services that work, are down, hang or are set up wrongly."""

import socket
from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from buddy.doctor import clocks, database, mail_server, model, queues, redis_server, web
from buddy.doctor.findings import OK, PROBLEM, WARNING, Finding, worst
from tests.support.valkey import free_port, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def texts(findings: list[Finding], level: str) -> str:
    """Return the texts and the advice of one level."""
    return "\n".join(f"{finding.text} → {finding.advice}" for finding in findings if finding.level == level)


def test_whole_site_that_works_has_no_problem(qcluster, provider, web_server, settings):
    """The start page and the socket are opened through CLIENT_URL, and the model is asked for real."""
    qcluster(**provider.publishes)
    settings.SITE_URL = f"http://127.0.0.1:{web_server.port}"
    wait_until(lambda: worst(web.examine()) == OK, "the site to be ready")
    for look in (database, redis_server, model, queues, web, mail_server, clocks):
        found = list(look.examine())
        assert [finding for finding in found if finding.level == PROBLEM] == []
        assert texts(found, OK)
    assert "opens" in texts(list(web.examine()), OK)
    assert "1 worker running" in texts(list(queues.examine()), OK)
    assert "worker host" in texts(list(clocks.examine()), OK)


@pytest.fixture
def web_server(web):
    """A running web process."""
    return web()


# --- the database -----------------------------------------------------------------------------------


@pytest.fixture
def migrations():
    """Change the table of applied migrations, and put it back."""
    recorder = MigrationRecorder(connection)
    missing = max(name for app, name in recorder.applied_migrations() if app == "chat")
    yield recorder, missing
    recorder.record_applied("chat", missing)
    recorder.record_unapplied("chat", "9999_newer")


def test_database_without_a_migration_names_it_and_the_command(migrations):
    recorder, missing = migrations
    recorder.record_unapplied("chat", missing)
    found = texts(list(database.examine()), PROBLEM)
    assert f"1 migration (chat.{missing}) not applied" in found
    assert "manage.py migrate" in found


def test_database_of_newer_code_is_a_warning(migrations):
    """As after a roll back, which works."""
    migrations[0].record_applied("chat", "9999_newer")
    found = list(database.examine())
    assert worst(found) == WARNING
    assert "1 migration (chat.9999_newer) applied but unknown" in texts(found, WARNING)


def test_postgresql_is_named_with_its_connections(postgres):
    found = list(database.examine())
    assert "PostgreSQL" in texts(found, OK)
    assert "of 200 connections are in use" in texts(found, OK)


# --- Redis ------------------------------------------------------------------------------------------


def test_redis_that_evicts_is_a_warning_with_the_setting(valkey):
    valkey.client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        found = list(redis_server.examine())
    finally:
        valkey.client.config_set("maxmemory-policy", "noeviction")
    assert "maxmemory-policy is allkeys-lru" in texts(found, WARNING)
    assert "maxmemory-policy to noeviction" in texts(found, WARNING)


@pytest.mark.parametrize("lacks", ["-eval", "resetchannels", "-set"])
def test_redis_user_without_a_right_is_a_problem_with_the_rule(valkey, settings, lacks):
    valkey.client.execute_command("ACL", "SETUSER", "weak", "reset", "on", ">pw", "~*", "&*", "+@all", lacks)
    settings.QUEUEING = settings.QUEUEING | {"REDIS_URL": f"redis://weak:pw@127.0.0.1:{valkey.port}/0"}
    found = list(redis_server.examine())
    assert "may not do what the queues need" in texts(found, PROBLEM)
    assert "ACL SETUSER" in texts(found, PROBLEM)


def test_redis_with_a_wrong_password_says_so_without_it(valkey, settings):
    settings.QUEUEING = settings.QUEUEING | {"REDIS_URL": f"redis://:secret-x@127.0.0.1:{valkey.port}/0"}
    found = list(redis_server.examine())
    assert "Correct the user and the password" in texts(found, PROBLEM)
    assert "secret-x" not in texts(found, PROBLEM)


# --- the model --------------------------------------------------------------------------------------


def test_model_that_answers_is_named_with_its_cost(provider, settings):
    settings.OPENAI_PRICES = '{"scripted": {"input": 1, "output": 1}}'
    found = list(model.examine())
    assert worst(found) != PROBLEM
    assert "scripted answers" in texts(found, OK)
    assert "USD" in texts(found, OK)
    assert len([request for request in provider.requests if request.json]) == 1


def test_model_for_free_is_not_asked(provider):
    list(model.examine_for_free())
    assert [request for request in provider.requests if request.json] == []


def test_model_with_a_refused_key_says_so_without_the_key(provider):
    provider.script(status=401, message="Incorrect API key provided: sk-of-the-tests")
    found = list(model.examine())
    assert "does not answer (not_configured)" in texts(found, PROBLEM)
    assert "OPENAI_API_KEY" in texts(found, PROBLEM)
    assert "sk-of-the-tests" not in texts(found, PROBLEM)


def test_model_server_that_is_down_is_a_problem_with_its_address(provider):
    provider.refuse_connections()
    found = list(model.examine())
    assert provider.base_url in texts(found, PROBLEM)
    assert "OPENAI_BASE_URL" in texts(found, PROBLEM)


def test_model_that_is_not_configured_is_a_problem(settings):
    settings.OPENAI_API_KEY = settings.OPENAI_BASE_URL = settings.OPENAI_MODEL = ""
    (found,) = model.examine()
    assert (found.level, found.text) == (PROBLEM, "no model is configured")


# --- queues, web, mail, clocks ----------------------------------------------------------------------


def test_queues_without_a_worker_name_the_command(valkey):
    assert "manage.py qcluster" in texts(list(queues.examine()), PROBLEM)


def test_workers_of_two_releases_are_a_warning(qcluster, valkey):
    qcluster(RELEASE="v1")
    qcluster(RELEASE="v2")
    wait_until(lambda: "1 of release v1, 1 of release v2" in texts(list(queues.examine()), WARNING), "both")


def test_web_without_a_server_says_that_it_does_not_answer(settings):
    settings.SITE_URL = f"http://127.0.0.1:{free_port()}"
    found = list(web.examine())
    assert f"{settings.SITE_URL} does not answer" in texts(found, PROBLEM)


@pytest.fixture
def narrow_proxy(web_server) -> Iterator[str]:
    """A reverse proxy that forwards pages but not the upgrade to a WebSocket, as nginx does by default."""
    from tests.project.doctor.narrow_proxy import NarrowProxy

    with NarrowProxy(web_server.port) as proxy:
        yield proxy.address


def test_web_behind_a_proxy_without_upgrade_says_what_to_forward(narrow_proxy, settings):
    settings.SITE_URL = narrow_proxy
    found = list(web.examine())
    assert "serves the page" in texts(found, OK)
    assert "is not upgraded to a WebSocket" in texts(found, PROBLEM)
    assert "Upgrade" in texts(found, PROBLEM)


def test_web_under_a_name_that_is_not_allowed_names_the_setting(web, settings):
    server = web(TEST_ALLOWED_HOSTS="buddy.example.org")
    settings.SITE_URL = f"http://127.0.0.1:{server.port}"
    assert "Add 127.0.0.1 to ALLOWED_HOSTS" in texts(list(web_examine()), PROBLEM)


def web_examine():
    """Examine the site (the fixture of the same name is a server)."""
    from buddy.doctor import web as look

    return look.examine()


def test_mail_is_sent_only_to_an_address_that_was_given(smtp):
    assert worst(mail_server.examine()) == OK
    assert smtp.messages == []
    assert "was accepted" in texts(list(mail_server.examine("operator@example.org")), OK)
    assert "Sent by manage.py doctor" in smtp.messages[0]


def test_mail_server_that_refuses_connections_is_a_problem(smtp):
    smtp.stop()
    with pytest.raises(ConnectionRefusedError):
        list(mail_server.examine())


def test_clock_that_is_wrong_is_a_warning_with_its_owner(valkey, monkeypatch):
    monkeypatch.setattr(clocks, "_offsets", lambda: iter([("Redis", 0.1), ("worker host b", -30.2)]))
    found = list(clocks.examine())
    assert "the clock of worker host b is 30 s behind this host's" in texts(found, WARNING)


def test_silent_server_is_given_up_after_its_deadline(settings):
    """It accepts the connection and says nothing."""
    from buddy.doctor.findings import Look
    from buddy.doctor.run import run

    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.SITE_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        [(_, [found])] = run([Look("web", web_examine, "look at the proxy", deadline=0.3)])
    assert (found.level, found.advice) == (PROBLEM, "look at the proxy")
    assert "no answer within 0.3 s" in found.text
