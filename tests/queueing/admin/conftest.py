"""Staff, with the permissions they are given."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client


@pytest.fixture
def staff(client: Client) -> Callable[..., Client]:
    """Call it with codenames to sign in as somebody of the staff who has those permissions."""

    def signed_in(*permissions: str) -> Client:
        user, _ = User.objects.get_or_create(username="carol", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return signed_in
