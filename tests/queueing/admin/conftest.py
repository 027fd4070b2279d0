"""A client that is signed in as staff."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client


@pytest.fixture
def staff(client: Client) -> Callable[..., Client]:
    """Return a function that signs in a member of staff with the permissions of these code names."""

    def signed_in(*permissions: str) -> Client:
        user, _ = User.objects.get_or_create(username="carol", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return signed_in
