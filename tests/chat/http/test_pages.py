"""The shell of the page."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse


@pytest.mark.django_db
@pytest.mark.parametrize("is_staff", [True, False])
def test_menu_leads_staff_alone_to_the_dashboard_and_the_administration(is_staff: bool, client: Client):
    """O20."""
    client.force_login(User.objects.create_user("alice", is_staff=is_staff))
    page = client.get("/").content.decode()
    for name in ("queue:page", "admin:index"):
        address = reverse(name)
        assert (f'href="{address}"' in page) is is_staff
        if is_staff:
            assert client.get(address).status_code == 200
