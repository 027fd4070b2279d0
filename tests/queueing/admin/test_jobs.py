"""Staff find jobs, read what became of them, and see what they are about only with the permission for it."""

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


@pytest.mark.parametrize("by", ["id", "id without dashes", "owner", "request", "code", "code of failed ones"])
def test_a_job_is_found(staff, by):
    job = failed(owner="s:alice", request_id="r-17")
    other = new_job(owner="s:bob", request_id="r-18")
    term = {"id": str(job.id), "id without dashes": job.id.hex, "owner": "s:alice", "request": "r-17"}
    query = f"?q={term.get(by, 'no_quota')}" + ("&state=failed" if by.startswith("code of") else "")
    found = shown(staff("view_job"), LIST + query)
    assert page(job) in found
    assert page(other) not in found


def test_a_word_of_an_error_finds_it_only_for_those_who_may_read_it(staff):
    job = failed()
    assert page(job) not in shown(staff("view_job"), f"{LIST}?q=sentence")
    assert page(job) in shown(staff("view_job", "view_contents"), f"{LIST}?q=sentence")


@pytest.mark.parametrize("state", list(State))
def test_each_state_is_filtered_for(staff, state):
    rows = {State.WAITING: new_job(), State.DELAYED: new_job(delay=60), State.FAILED: failed()}
    rows |= {State.ACTIVE: new_job(), State.COMPLETED: new_job(), State.CANCELLED: new_job()}
    begin(rows[State.ACTIVE])
    end(begin(rows[State.COMPLETED]))
    verbs.cancel(rows[State.CANCELLED].id)
    found = shown(staff("view_job"), f"{LIST}?state={state}")
    assert [other for other, job in rows.items() if page(job) in found] == [state]


def test_other_filters_and_nonsense_are_no_error(staff):
    job = failed()
    client = staff("view_job")
    for query in ("days=1", "days=30", "queue=test", "kind=test.echo", "days=1&queue=test&state=failed"):
        assert page(job) in shown(client, f"{LIST}?{query}"), query
    assert page(job) not in shown(client, f"{LIST}?queue=analytics")
    for query in ("days=never", "state=lost", "q=%00", "q=" + "x" * 500, "p=99"):
        assert client.get(f"{LIST}?{query}").status_code in (200, 302), query


def test_its_page_tells_what_became_of_it_but_not_what_it_is_about(staff):
    job = failed(owner="s:alice", request_id="r-17")
    text = shown(staff("view_job"), page(job))
    for told in ("Attempt 1: failed", "provider_error", "c1/w", "no_quota", "r-17", "s:alice"):
        assert told in text, told
    assert "private" not in text
    assert "Retry…" not in text, "who may only look is offered nothing"


def test_those_who_may_read_it_do(staff):
    text = shown(staff("view_job", "view_contents"), page(failed()))
    for told in ("a private question", "it said a private thing", "A private sentence.", "Traceback"):
        assert told in text, told


def test_jobs_around_it_are_linked(staff):
    parent = new_job()
    child = submit("test.echo", {}, depends_on=[parent]).job
    client = staff("view_job")
    assert page(parent) in shown(client, page(child))
    assert page(child) in shown(client, page(parent))


def test_nobody_adds_changes_or_deletes_one_as_a_row(admin_client):
    job = new_job()
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(page(job), {"state": "completed"}).status_code == 403
    assert admin_client.post(f"{LIST}{job.pk}/delete/", {"post": "yes"}).status_code == 403
    job.refresh_from_db()
    assert job.state == State.WAITING


def test_without_the_permission_to_see_jobs_there_are_none(staff):
    job = new_job()
    client = staff()
    for address in (LIST, page(job)):
        assert client.get(address).status_code == 403
