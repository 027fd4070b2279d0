"""The migrations keep the rows of an existing database."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps
from django.utils import timezone

from queueing.models import Dependency, FailedAttempt, Job, LimitOverride, QueueMinute
from queueing.values.ids import new_id

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0004_operating"
RENAMED = {"attempt": "failedattempt", "override": "limitoverride", "tally": "queueminute"}


@pytest.fixture
def old_models() -> Iterator[StateApps]:
    """The models before the renames. The database is migrated to the newest state afterwards."""
    migrate(BEFORE)
    yield MigrationExecutor(connection).loader.project_state([("queueing", BEFORE)]).apps
    migrate()


def migrate(*name: str) -> None:
    """Migrate the engine's tables to `name`, or to their newest state."""
    call_command("migrate", "queueing", *name, verbosity=0)


def test_rename_migration_keeps_every_row(old_models):
    now = timezone.now()
    about = {"kind": "test.noop", "queue": "test", "priority": 5, "created_at": now}
    job_model = old_models.get_model("queueing", "Job")
    parent = job_model.objects.create(id=new_id(), runs=3, **about)
    child = job_model.objects.create(id=new_id(), state="delayed", pending=1, **about)
    old_models.get_model("queueing", "Dependency").objects.create(job=child, parent=parent, however=True)
    old_models.get_model("queueing", "Attempt").objects.create(
        job=parent, number=1, outcome="failed", started_at=now, ended_at=now, worker="c/w/1"
    )
    old_models.get_model("queueing", "Override").objects.create(queue="test", name="concurrency", value=7)
    old_models.get_model("queueing", "Tally").objects.create(
        queue="test", worker="w", start=now, runs={"3": 2}
    )

    migrate()

    assert Job.objects.get(id=parent.id).run_count == 3
    assert Job.objects.get(id=child.id).unfinished_parents == 1
    assert Dependency.objects.get().any_outcome is True
    assert FailedAttempt.objects.get().job_id == parent.id
    assert [a.outcome for a in Job.objects.get(id=parent.id).failed_attempts.all()] == ["failed"]
    assert LimitOverride.objects.get().value == 7
    assert QueueMinute.objects.get().durations == {"3": 2}


def test_rename_migration_keeps_granted_permissions(old_models, django_user_model):
    user = django_user_model.objects.create_user("operator")
    user.user_permissions.set(Permission.objects.filter(codename__in=[f"view_{old}" for old in RENAMED]))
    assert user.user_permissions.count() == len(RENAMED)

    migrate()

    assert {p.codename for p in user.user_permissions.all()} == {f"view_{new}" for new in RENAMED.values()}
    assert not Permission.objects.filter(codename__in=[f"view_{old}" for old in RENAMED]).exists()
