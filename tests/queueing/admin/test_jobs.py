"""Jobs in the admin: search, filters, the page of a job; payloads need their own permission."""

import pytest

from queueing.control import verbs
from queueing.models import Job
from queueing.states import State
from queueing.submit import submit
from tests.queueing.record.lifecycle import begin, end, new_job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

LIST = "/admin/queueing/job/"


def page(job: Job) -> str:
    return f"{LIST}{job.pk}/change/"


def shown(client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def failed(**options) -> Job:
    job = submit("test.echo", {"text": "a private question"}, **options).job
    end(begin(job), State.DELAYED, code="provider_error", error="it said a private thing", detail="private")
    verbs.promote(job.id)
    end(begin(job, "c2/w/7"), State.FAILED, code="no_quota", error="A private sentence.")
    return job


@pytest.mark.parametrize(
    "by", ["id", "id without dashes", "owner", "request", "code", "code of failed ones", "tag"]
)
def test_search_finds_job(staff, by):
    job = failed(owner="s:alice", request_id="r-17", tags=["an-order"])
    other = new_job(owner="s:bob", request_id="r-18", tags=["vip-customer"])
    term = {"id": str(job.id), "id without dashes": job.id.hex, "owner": "s:alice", "request": "r-17"}
    term["tag"] = "an-order"
    query = f"?q={term.get(by, 'no_quota')}" + ("&state=failed" if by.startswith("code of") else "")
    found = shown(staff("view_job"), LIST + query)
    assert page(job) in found
    assert page(other) not in found


def test_search_in_errors_needs_view_contents(staff):
    job = failed()
    assert page(job) not in shown(staff("view_job"), f"{LIST}?q=sentence")
    assert page(job) in shown(staff("view_job", "view_contents"), f"{LIST}?q=sentence")


@pytest.mark.parametrize("state", list(State))
def test_filter_by_state_shows_only_that_state(staff, state):
    rows = {State.WAITING: new_job(), State.DELAYED: new_job(delay=60), State.FAILED: failed()}
    rows |= {State.ACTIVE: new_job(), State.COMPLETED: new_job(), State.CANCELLED: new_job()}
    begin(rows[State.ACTIVE])
    end(begin(rows[State.COMPLETED]))
    verbs.cancel(rows[State.CANCELLED].id)
    found = shown(staff("view_job"), f"{LIST}?state={state}")
    assert [other for other, job in rows.items() if page(job) in found] == [state]


def test_filters_work_and_invalid_values_are_no_error(staff):
    job = failed()
    client = staff("view_job")
    for query in ("days=1", "days=30", "queue=test", "kind=test.echo", "days=1&queue=test&state=failed"):
        assert page(job) in shown(client, f"{LIST}?{query}"), query
    assert page(job) not in shown(client, f"{LIST}?queue=analytics")
    for query in ("days=never", "state=lost", "q=%00", "q=" + "x" * 500, "p=99"):
        assert client.get(f"{LIST}?{query}").status_code in (200, 302), query


def test_job_page_shows_timeline_without_payload(staff):
    job = failed(owner="s:alice", request_id="r-17")
    text = shown(staff("view_job"), page(job))
    for told in ("Attempt 1: failed", "provider_error", "c1/w", "no_quota", "r-17", "s:alice"):
        assert told in text, told
    assert "private" not in text
    assert "Retry…" not in text, "who may only look is offered nothing"


def test_job_page_shows_options_and_where_they_are_set(staff):
    client, backoff = staff("view_job"), {"type": "exponential", "delay": 2}
    own = submit("options.kind", {}, timeout=75, backoff=backoff, tags=["an-order"], expires=99).job
    text = shown(client, page(own))
    for told in (
        "75 s (this job)",
        "exponential, 2 s, at most 60 min (this job)",
        "?q=an-order",
        "Deadline",
    ):
        assert told in text, told
    text = shown(client, page(submit("options.kind", {}).job))
    for told in ("(its kind)", "backoff_by_error() (its kind)", "?q=of-kind"):
        assert told in text, told
    assert "fixed, 200 ms, at most 60 min<" in shown(client, page(submit("test.echo", {}).job))


def test_job_page_with_view_contents_shows_payload(staff):
    text = shown(staff("view_job", "view_contents"), page(failed()))
    for told in ("a private question", "it said a private thing", "A private sentence.", "Traceback"):
        assert told in text, told


def test_job_page_links_related_jobs(staff):
    parent = new_job()
    child = submit("test.echo", {}, depends_on=[parent]).job
    client = staff("view_job")
    assert page(parent) in shown(client, page(child))
    assert page(child) in shown(client, page(parent))


def test_job_rows_cannot_be_added_changed_or_deleted(admin_client):
    job = new_job()
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(page(job), {"state": "completed"}).status_code == 403
    assert admin_client.post(f"{LIST}{job.pk}/delete/", {"post": "yes"}).status_code == 403
    job.refresh_from_db()
    assert job.state == State.WAITING


def test_jobs_without_permission_are_403(staff):
    job = new_job()
    client = staff()
    for address in (LIST, page(job)):
        assert client.get(address).status_code == 403
