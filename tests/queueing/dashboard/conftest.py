"""Staff with one permission or another, and jobs that have failed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from queueing.models import Job
from queueing.states import State


@pytest.fixture
def staff(django_user_model: Any) -> Callable[..., Any]:
    """Call it with permissions' code names for a member of the staff who has them."""

    def make(*permissions: str, name: str = "carol") -> Any:
        user = django_user_model.objects.create_user(name, is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        return user

    return make


def failed(number: int = 1, **fields: Any) -> list[Job]:
    """So many jobs of one group of failures."""
    now = timezone.now()
    about = {"kind": "test.flaky", "queue": "test", "error_code": "busy", "error": "The SECRET is out."}
    return Job.objects.bulk_create(
        Job(
            **about | {"args": {"fail": 0}, "priority": 5, "state": State.FAILED} | fields,
            created_at=now,
            finished_at=now,
        )
        for _ in range(number)
    )
