"""The OpenAPI file against a running server: every response is one that the file describes."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from os import environ
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks

from chat.http.api import api
from tests.e2e.site import served
from tests.support.cluster import ROOT
from tests.support.valkey import Valkey

checks.load_all_checks()
SCHEMA = schemathesis.openapi.from_dict(api.get_openapi_schema(path_prefix="/api/"))
#: What can be called to the end; `tests/chat/socket/test_http_wire.py` reads the endless stream.
CALLABLE = SCHEMA.exclude(operation_id="open_stream")
#: A new database with a user, whose token is printed.
PREPARE = """
from django.contrib.auth.models import User
from django.core.management import call_command
from chat.accounts.texts import SCOPE_LABELS
from chat.accounts.access.tokens import issue
call_command("migrate", verbosity=0)
print(issue(User.objects.create_user("contract"), name="", scopes=list(SCOPE_LABELS))[1])
"""
QUICK = settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True)
class Server:
    """A web server, and a token with every scope."""

    url: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def call(self, method: str, path: str, **more: Any) -> Any:
        return requests.request(method, self.url + path, headers=self.headers, timeout=20, **more)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a real web server with its own Valkey and database, and without workers."""
    directory = tmp_path_factory.mktemp("contract")
    valkey = Valkey(directory)
    valkey.start()
    environment = environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"sqlite:///{directory / 'db.sqlite3'}",
        "REDIS_URL": valkey.url,
        "QUEUE_OPENAI_CHAT_OWNER_LIMIT": "0",
        "QUEUE_LARGE_REQUESTS_OWNER_LIMIT": "0",
    }
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", PREPARE]
    prepared = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    with served(directory, environment, ready="/healthz") as url:
        yield Server(url, prepared.stdout.strip())
    valkey.stop()


@pytest.fixture
def known(server: Server) -> dict[str, str]:
    """Return existing ids by parameter: a question, and its cancelled job."""
    asked = server.call("POST", "/api/travel", json={"message": "Where to?", "requestId": uuid4().hex}).json()
    server.call("DELETE", f"/api/jobs/{asked['jobId']}")
    return {"job_id": asked["jobId"], "thread_id": asked["threadId"], "message_id": asked["messageId"]}


def hold(case: Any, server: Server, known: dict[str, str]) -> None:
    """Send the case and check the response; every second id exists."""
    for name, value in case.path_parameters.items():
        if name in known and is_uuid(value) and UUID(value).int % 2:
            case.path_parameters[name] = known[name]
    response = case.call(base_url=server.url, headers=server.headers, timeout=20)
    if response.status_code == 400 and not response.content:
        return  # Twisted, which daphne stands on, hangs up on a broken multipart form before Django sees it
    # Not every rule can be said in a schema: "either message or messages" is refused with 422.
    without = [checks.CHECKS.get_one("positive_data_acceptance")]
    if case.path.endswith("/queue/status") and case.query.get("failAt") in ("warning", "critical"):
        without.append(checks.CHECKS.get_one("not_a_server_error"))  # the client asks for a 503
    case.validate_response(response, excluded_checks=without, headers=server.headers)


def is_uuid(value: str) -> bool:
    try:
        return bool(UUID(value))
    except ValueError:
        return False


def test_server_publishes_the_checked_openapi_file(server: Server):
    assert server.call("GET", "/api/openapi.json").json()["paths"].keys() == SCHEMA.raw_schema["paths"].keys()


def test_failed_health_check_matches_the_openapi_file(server):
    """Its 503 has the state of the queues, and is no problem document. No worker runs here."""
    case = SCHEMA["/api/queue/status"]["GET"].Case(query={"failAt": "critical"})
    assert case.call(base_url=server.url).status_code == 503
    hold(case, server, {})


@CALLABLE.parametrize()
@QUICK
def test_every_response_matches_the_openapi_file(case, server, known):
    hold(case, server, known)


@pytest.mark.slow
@pytest.mark.timeout(900)
@CALLABLE.parametrize()
@settings(QUICK, max_examples=300)
def test_every_response_matches_the_openapi_file_in_a_long_run(case, server, known):
    hold(case, server, known)
