"""Members of staff with permissions, and failed jobs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from queueing.models import Job
from queueing.states import State


@pytest.fixture
def staff(django_user_model: Any) -> Callable[..., Any]:
    """Return a function that creates a member of staff with the permissions of these code names."""

    def make(*permissions: str, name: str = "carol") -> Any:
        user = django_user_model.objects.create_user(name, is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        return user

    return make


def failed(number: int = 1, **fields: Any) -> list[Job]:
    """Create failed jobs of one group."""
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
