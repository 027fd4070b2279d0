"""Wrong input is named in the error, and nothing is stored."""

import pytest

from queueing.checks import check_queueing
from queueing.errors import BadSubmission
from queueing.models import Job
from queueing.submit import submit


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("delay", {"delay": 10**400}),
        ("priority", {"priority": "high"}),
        ("priority", {"priority": 2.5}),
        ("request_id", {"request_id": 7}),
        ("owner", {"owner": None}),
        ("owner", {"owner": 7}),
        ("owner", {"owner": "a\x00b"}),
        ("meta", {"meta": {"a": object()}}),
        ("args", {"args": {"a": "\x00"}}),
        ("args", {"args": {"a": "\ud800"}}),
    ],
)
def test_submit_wrong_field_is_named_and_nothing_is_stored(field, options):
    with pytest.raises(BadSubmission, match=f"^{field}: "):
        submit("test.noop", **({"args": {}} | options))
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "spec", [{"concurrency": "3"}, {"limiter": "2/60"}, {"backoff": 5}, {"keep": 5}, {"timeout": None}]
)
def test_check_setting_of_wrong_type_is_error(settings, spec):
    settings.QUEUEING = {"REDIS_URL": "redis://r", "QUEUES": {"my-queue": spec}}
    assert any("my-queue" in message.msg for message in check_queueing())
