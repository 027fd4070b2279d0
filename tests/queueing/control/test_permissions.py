"""S19: operators see only the buttons that they may press, on every page, for every registered action."""

import json
import re
from dataclasses import replace
from itertools import chain, combinations

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone
from django_q.models import Schedule, Task

from queueing.admin.actions import JOB_ACTIONS
from queueing.control import audited
from queueing.control.actions import ACTIONS
from queueing.dashboard import forms
from queueing.models import Job
from queueing.recurring.definition import Definition
from queueing.recurring.verbs import pause, store
from queueing.schedule import presence, redis_client
from queueing.states import State
from queueing.terminal import actions as terminal
from queueing.terminal import texts as terminal_texts
from queueing.worker.liveness.identity import Identity
from tests.queueing.record.lifecycle import new_job
from tests.support.links import follow_all

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

LIST = "/admin/queueing/job/"
#: The permissions that decide about pages and buttons of the engine.
DECIDING = ("view_job", "operate_queue", "view_contents")
SETS = list(chain.from_iterable(combinations(DECIDING, n) for n in range(len(DECIDING) + 1)))


#: All sets of permissions, and two with actions that need another permission than now.
CASES = [
    *((permissions, "") for permissions in SETS),
    (("operate_queue",), "queueing.view_contents"),
    (("view_job", "view_contents"), "queueing.view_contents"),
]


@pytest.fixture(params=CASES, ids=str)
def member(request, client, django_user_model, monkeypatch):
    """A member of staff with one set of permissions."""
    permissions, needed = request.param
    user = django_user_model.objects.create_user("carol", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    for name, action in ACTIONS.items() if needed else ():
        for registry in (ACTIONS, forms.OFFERED, JOB_ACTIONS):
            if name in registry:
                monkeypatch.setitem(registry, name, replace(action, permission=needed))
    return client, user


def jobs_in_every_state() -> list[Job]:
    """Return jobs whose pages and queue together offer every action."""
    found = [new_job(), new_job(delay=600), new_job()]
    Job.objects.filter(id=found[2].id).update(
        state=State.FAILED, error_code="busy", finished_at=timezone.now()
    )
    return found


def two_workers() -> None:
    """Write the heartbeats of a worker and of a quiet one."""
    for name, is_quiet in (("w1", False), ("w2", True)):
        identity = Identity(cluster="c", name=name, is_quiet=is_quiet)
        beat = identity.heartbeat(active=0, slots=1, needs=(), listens=True)
        redis_client.run(presence.heartbeat(identity.id, beat))


def test_every_action_is_offered_somewhere():
    """A new action must be known to a page, or this test has to say where it is offered."""
    assert set(ACTIONS) == {*forms.OFFERED, *JOB_ACTIONS, "set_weight"}  # that has a page in the admin


def test_buttons_of_the_dashboard_are_those_that_work(member):
    client, user = member
    jobs_in_every_state()
    two_workers()
    audited.set_limits("test", actor="dora", concurrency=7)
    for name in ("on", "paused"):
        store(Definition(name=name, kind="test.noop", every=3600, time_zone="UTC"))
    pause("paused")
    pages = ""
    for _ in range(2):  # running and paused
        pages += client.get("/admin/queue?queue=test").content.decode()
        audited.pause("test", actor="dora")
    shown = set(re.findall(r'data-action="(\w+)"', pages))
    allowed = {name for name, action in forms.OFFERED.items() if action.may(user)}
    for name in forms.OFFERED:
        answer = client.get(f"/admin/queue/confirm/{name}?queue=test")
        assert (answer.status_code == 200) == (name in allowed), name
        answer = client.post(f"/admin/queue/{name}", json.dumps({"queue": "test"}), "application/json")
        assert (answer.status_code != 403) == (name in allowed), name
    if user.has_perms(["queueing.view_job"]) or user.has_perm("queueing.operate_queue"):
        assert shown == allowed
    else:
        private = {"retry", "retry_group", "note_group"}  # beside failures
        assert shown == allowed - private - {name for name in allowed if name.endswith("_recurring")}


def test_buttons_of_job_pages_are_those_that_work(member):
    """S19: an operator without `view_job` saw buttons that answered 403."""
    client, user = member
    jobs = jobs_in_every_state()
    may_see = user.has_perm("queueing.view_job") or user.has_perm("queueing.operate_queue")
    shown = set()
    for job in jobs:
        page = client.get(f"{LIST}{job.pk}/change/")
        assert page.status_code == (200 if may_see else 403)
        shown |= set(re.findall(rf'href="{LIST}{job.pk}/do/(\w+)/"', page.content.decode()))
    allowed = {name for name, action in JOB_ACTIONS.items() if action.may(user)}
    assert shown == (allowed if may_see else set())
    menu = client.get(LIST).content.decode()
    assert set(re.findall(r'<option value="(\w+)"', menu)) == shown
    for name in JOB_ACTIONS:
        address = reverse("admin:queueing_job_action", args=[jobs[0].pk, name])
        assert client.get(address).status_code == (200 if name in allowed else 403), name
        listed = client.post(LIST, {"action": name, "_selected_action": [str(jobs[0].pk)]})
        assert ("confirmed" in listed.content.decode()) == (name in shown), name


#: Permissions of other tables, whose pages link to each other.
OTHERS = ("view_schedule", "view_success", "view_failure", "view_auditentry")


@pytest.mark.parametrize("permissions", [*SETS, *((one,) for one in OTHERS), OTHERS], ids="+".join)
def test_no_page_links_to_a_page_that_is_refused(client, django_user_model, permissions):
    """S19: links are buttons too. All pages are followed from the first one."""
    user = django_user_model.objects.create_user("carol", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    jobs_in_every_state()
    now = timezone.now()
    Task.objects.create(id="1", name="t", func="f", started=now, stopped=now, success=True)
    Schedule.objects.create(func="f", name="s", task="1", next_run=now)
    audited.pause("test", actor="dora")
    seen = follow_all(client, "/admin/", "/admin/queue", "/admin/queue?queue=test", below="/admin/")
    assert len(seen) >= 3


@pytest.mark.parametrize("view", terminal._KEYS)
def test_keys_of_the_terminal_are_those_that_work(view):
    """A person with a shell needs no permission; the screen names every key, and no other."""
    line = terminal_texts.KEYS[view]
    named = set(re.findall(r"(?:^|  )(\w) ", line)) - {"f", "a", "q"}
    assert named == set(terminal._KEYS[view])
    for key, action in terminal._KEYS[view].items():
        assert action.name in ACTIONS
        assert re.search(rf"^  (\w  )?{key} ", terminal_texts.HELP, re.M), key
