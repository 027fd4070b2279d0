"""S3: every try of a secret is counted, wherever it is asked for, and told to the operator."""

import ast
import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.contrib.auth import aauthenticate, authenticate
from django.contrib.auth.models import User
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection
from django.test import Client
from django.utils.module_loading import import_string

from buddy import settings as shipped
from chat.accounts.access.tries import passwords, report, tries
from chat.errors import LimitReached
from chat.limits import in_memory
from queueing.api import monitoring, redis
from queueing.api.metrics import metrics_text
from tests.chat.accounts.account_client import PASSWORD
from tests.chat.accounts.password_pages import password_forms

pytestmark = [pytest.mark.django_db(transaction=True)]

_addresses = (f"198.51.100.{number}" for number in count(1))
ROOT = Path(__file__).parents[5]


@pytest.fixture(autouse=True)
def few_tries(settings: Any) -> Iterator[None]:
    settings.LIMITS = settings.LIMITS | {"login": "5/minute", "account": "4/minute"}
    yield
    in_memory.clear()


def person(name: str, *, signed_in: bool) -> Client:
    """Return the browser of a new superuser at an address of their own."""
    user = User.objects.create_superuser(name, password=PASSWORD)
    client = Client(REMOTE_ADDR=next(_addresses))
    if signed_in:
        client.force_login(user)
    return client


def stranger(address: str | None = None) -> Client:
    return Client(REMOTE_ADDR=address or next(_addresses))


def guess(client: Client, name: str = "alice", password: str = "wrong") -> int:
    return client.post("/account/sign-in/", {"login": name, "password": password}).status_code


@pytest.mark.parametrize("signed_in", [False, True])
def test_form_with_a_present_password_refuses_the_right_one_after_too_many_tries(valkey, signed_in):
    """S3: found from the addresses and the HTML, so that a new page cannot be forgotten."""
    forms = password_forms(person("admin", signed_in=signed_in), "1")
    paths = {form.path for form in forms}
    expected = {"/account/password/", "/account/erase/", "/account/confirm/"}
    assert paths >= (expected if signed_in else {"/account/sign-in/"})
    for number, form in enumerate(forms):
        name = f"user{number}"
        client = person(name, signed_in=signed_in)
        answers = [form.submit(client, name, "wrong").status_code for _ in range(6)]
        assert answers == [200] * 4 + [429] * 2, form.path
        refused = form.submit(client, name, PASSWORD)
        assert refused.status_code == 429, form.path
        assert 1 <= int(refused["Retry-After"]) <= 61
        assert b"Too many" in refused.content
        assert User.objects.filter(username=name).exists()


@pytest.mark.parametrize("name", ["alice", "ALICE", "nobody-of-this-name"])
def test_many_networks_share_the_tries_of_one_account(valkey, name):
    """S3: also when no such account exists, so that the answer does not say whether it does."""
    person("alice", signed_in=False)
    assert [guess(stranger(), name) for _ in range(6)] == [200] * 4 + [429] * 2


def test_one_network_shares_the_tries_of_many_accounts(valkey):
    addresses = [f"2001:db8:1:2::{number:x}" for number in range(1, 8)]
    answers = [guess(stranger(address), f"user{n}") for n, address in enumerate(addresses)]
    assert answers == [200] * 5 + [429] * 2, "a /64 is one network"
    assert guess(stranger("2001:db8:1:3::1"), "user9") == 200


def test_owner_on_a_known_device_signs_in_while_strangers_guess(valkey):
    """S3: a stranger, also one in the same network, cannot keep the owner out."""
    owner = person("alice", signed_in=False)
    assert guess(owner, password=PASSWORD) == 302
    owner.post("/account/sign-out/")
    here = stranger(owner.defaults["REMOTE_ADDR"])
    assert [guess(here) for _ in range(5)][-1] == 429
    assert [guess(stranger()) for _ in range(5)][-1] == 429
    assert guess(owner, password=PASSWORD) == 302


def test_known_device_has_few_tries_too(valkey):
    thief = person("alice", signed_in=False)
    assert guess(thief, password=PASSWORD) == 302
    thief.post("/account/sign-out/")
    assert [guess(thief) for _ in range(6)] == [200] * 4 + [429] * 2
    assert guess(stranger(), password=PASSWORD) == 302, "and takes none of the others'"


def test_device_of_one_account_is_a_stranger_to_another(valkey):
    person("alice", signed_in=False)
    mallory = person("mallory", signed_in=False)
    assert guess(mallory, "mallory", PASSWORD) == 302
    mallory.post("/account/sign-out/")
    assert [guess(stranger()) for _ in range(4)] == [200] * 4
    assert guess(mallory) == 429, "the device gives no new budget"


def test_changed_device_cookie_is_a_stranger(valkey):
    owner = person("alice", signed_in=False)
    guess(owner, password=PASSWORD)
    cookie = owner.cookies["device"].value
    forged = stranger()
    forged.cookies["device"] = "x" + cookie[1:]
    assert [guess(stranger()) for _ in range(4)] == [200] * 4
    assert guess(forged) == 429


def test_signed_in_owner_changes_the_password_while_strangers_guess(valkey):
    owner = person("alice", signed_in=True)
    assert [guess(stranger()) for _ in range(5)][-1] == 429
    fields = {"oldpassword": PASSWORD, "password1": "another-4711", "password2": "another-4711"}
    assert owner.post("/account/password/", fields).status_code == 302


def test_right_passwords_do_not_count(valkey):
    person("alice", signed_in=False)
    assert {guess(stranger("192.0.2.9"), password=PASSWORD) for _ in range(8)} == {302}


def test_tries_at_the_same_moment_are_counted_before_they_are_compared(valkey):
    person("alice", signed_in=False)

    def one(number: int) -> int:
        try:
            return guess(stranger(f"203.0.113.{number}"))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(1, 25)))
    assert answers.count(200) == 4
    assert answers.count(429) == 20


def test_tries_are_counted_while_redis_is_unavailable():
    """Never unlimited: each process counts by itself. There is no Redis in this test."""
    person("alice", signed_in=False)
    assert [guess(stranger()) for _ in range(6)] == [200] * 4 + [429] * 2
    signed_in = person("bob", signed_in=True)
    erase = [signed_in.post("/account/erase/", {"password": "wrong"}).status_code for _ in range(6)]
    assert erase == [200] * 4 + [429] * 2
    assert User.objects.count() == 2


async def test_async_code_counts_too(valkey):
    await User.objects.acreate_user("alice", password=PASSWORD)
    for _ in range(6):
        assert await aauthenticate(username="alice", password=PASSWORD)
    for _ in range(4):
        assert not await aauthenticate(username="alice", password="wrong")
    with pytest.raises(LimitReached):
        await aauthenticate(username="alice", password=PASSWORD)
    user = await User.objects.aget()
    with pytest.raises(SynchronousOnlyOperation):  # a hash would hold the loop; it is not compared uncounted
        await user.acheck_password("wrong")


def test_command_without_a_request_counts_for_the_account_alone(valkey):
    person("alice", signed_in=False)
    assert all(authenticate(username="alice", password=PASSWORD) for _ in range(9))
    assert not any(authenticate(username="alice", password="wrong") for _ in range(4))
    with pytest.raises(LimitReached):
        authenticate(username="alice", password=PASSWORD)
    assert authenticate(username="bob", password="wrong") is None


def test_one_time_codes_have_a_budget_of_their_own(valkey):
    """What the second step of a sign-in calls."""
    for _ in range(4):
        tries.begin("code", account="alice", network="192.0.2.1").failed()
    with pytest.raises(LimitReached):
        tries.begin("code", account="alice", network="192.0.2.2")
    person("alice", signed_in=False)
    assert guess(stranger(), password=PASSWORD) == 302


def test_wrong_api_tokens_and_metrics_tokens_are_refused_after_too_many(valkey, settings):
    settings.METRICS_TOKEN = "secret"
    script = stranger()
    wrong = {"HTTP_AUTHORIZATION": "Bearer buddy_" + "x" * 43}
    assert [script.get("/api/threads", **wrong).status_code for _ in range(6)] == [401] * 5 + [429]
    right = {"HTTP_AUTHORIZATION": "Bearer secret"}
    assert {script.get("/metrics", **right).status_code for _ in range(9)} == {200}
    assert {script.get("/metrics", **wrong).status_code for _ in range(9)} == {403}, (
        "an API token is no guess"
    )
    wrong = {"HTTP_AUTHORIZATION": "Bearer guess"}
    paths = ("/metrics", "/api/queue/status") * 3
    assert [script.get(path, **wrong).status_code for path in paths] == [403, 200, 403, 200, 403, 429]
    assert script.get("/metrics", **right).status_code == 429


def test_wrong_reset_links_are_refused_after_too_many(valkey, mail_server):
    visitor = stranger()
    link = "/account/reset/1-abc-123/"
    assert [visitor.get(link).status_code for _ in range(6)] == [200] * 5 + [429]


def test_operator_is_told_without_names(valkey, caplog, monkeypatch):
    """S3: log, metric and a warning for the dashboard, the terminal and the alerts."""
    monkeypatch.setattr(report, "MANY", {"failed": 4, "refused": 2})
    person("alice", signed_in=False)
    with caplog.at_level(logging.WARNING, logger=report.__name__):
        for _ in range(7):
            guess(stranger("192.0.2.7"))
        guess(stranger(), "my-secret-typed-as-a-name")
    told = [r.getMessage() for r in caplog.records if r.name == report.__name__]
    user = User.objects.get()
    assert told[:4] == [f"a wrong password was tried: user {user.pk} from 192.0.2.7"] * 4
    assert told[4] == f"too many tries of a password, refused: user {user.pk} from 192.0.2.7"
    assert len(told) == 6, "the same refusal is logged once a minute"
    assert "an unknown name" in told[5]
    found = asyncio.run(_health())
    (warning,) = [one for one in found["warnings"] if one["code"] == "tries"]
    assert "5 wrong" in warning["text"]
    assert "3 more tries were refused" in warning["text"]
    text = metrics_text(found).decode()
    assert 'buddy_tries_total{outcome="failed",what="password"} 5.0' in text
    assert 'buddy_tries_total{outcome="refused",what="password"} 3.0' in text
    names = [key for key in redis.client().keys("*") if "alice" in key or "secret" in key]
    assert not names
    assert "my-secret" not in caplog.text


async def _health() -> dict[str, Any]:
    try:
        return await monitoring.queue_health()
    finally:
        await redis.aclient().aclose()


def test_every_hasher_and_the_first_backend_of_the_settings_count():
    """Nothing compares a password without a hasher, so no form can forget to count."""
    for path in {*shipped.PASSWORD_HASHERS, *project.PASSWORD_HASHERS}:
        assert issubclass(import_string(path), passwords.Counted), path
    algorithms = {import_string(path).algorithm for path in shipped.PASSWORD_HASHERS}
    defaults = {hasher.algorithm for hasher in map(import_string, _django_hashers())}
    assert algorithms == defaults, "passwords of existing databases stay valid"
    assert import_string(shipped.AUTHENTICATION_BACKENDS[0]) is passwords.CountTries


def _django_hashers() -> list[str]:
    from django.conf import global_settings

    return global_settings.PASSWORD_HASHERS


#: Functions that compare a secret themselves -> how it is counted.
_COMPARED = {
    "chat/accounts/access/access_keys.py:_is_valid": "compares stored hashes with each other",
    "chat/accounts/pages/forms.py:clean_password": "check_password counts",
    "chat/accounts/access/operators.py:_is_metrics_token": "its caller calls tries.begin",
}


def test_code_that_compares_secrets_is_known():
    """A new function that compares a secret must count, and be named here with how it does."""
    compares = {"check_password", "acheck_password", "verify_password", "authenticate", "aauthenticate"}
    compares |= {"compare_digest", "constant_time_compare", "check_token"}
    found = set()
    for path in [*ROOT.glob("chat/**/*.py"), *ROOT.glob("buddy/**/*.py"), *ROOT.glob("queueing/**/*.py")]:
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            calls = {_called(node) for node in ast.walk(function) if isinstance(node, ast.Call)}
            if calls & compares:
                found.add(f"{path.relative_to(ROOT)}:{function.name}")
    assert found == set(_COMPARED)


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))
