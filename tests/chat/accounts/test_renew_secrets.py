"""A rotation of SECRET_KEY: no user is signed out, and no second factor is lost."""

from datetime import timedelta
from itertools import pairwise

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from cryptography.fernet import InvalidToken
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command

from chat.accounts import mail
from chat.accounts.models import OutgoingMail

pytestmark = pytest.mark.django_db(transaction=True)
OLD, NEW = "old-" + "x" * 60, "new-" + "y" * 60


@pytest.fixture
def factor(settings):
    """A second factor of a user, made with the old key."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD, []
    user = User.objects.create_user("ada", password="correct horse 9")
    data = {"secret": get_adapter().encrypt("JBSWY3DPEHPK3PXP")}
    return Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data=data)


def secret_of(factor: Authenticator) -> str:
    """Return the secret, as it is read when a code is compared."""
    factor.refresh_from_db()
    return get_adapter().decrypt(factor.data["secret"])


def test_rotation_of_the_key_signs_no_user_out_and_keeps_second_factors(factor, settings, client, valkey):
    client.force_login(factor.user)
    codes = RecoveryCodes.activate(factor.user).generate_codes()
    mail.post(EmailMessage("a", "b", to=["ada@example.org"]), timedelta(hours=1))

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    assert client.get("/account/").status_code == 200
    assert secret_of(factor) == "JBSWY3DPEHPK3PXP"

    call_command("renew_secrets")
    settings.SECRET_KEY_FALLBACKS = []
    assert secret_of(factor) == "JBSWY3DPEHPK3PXP"
    assert RecoveryCodes.activate(factor.user).generate_codes() == codes
    mail.deliver(OutgoingMail.objects.get().pk)
    assert client.get("/account/").status_code == 200  # its session was renewed by the visit


def test_rotation_by_the_runbook_signs_no_user_out_while_processes_have_different_keys(
    factor, settings, client, valkey
):
    """The steps of docs/runbooks.md. In each, some processes are restarted and some are not."""
    client.force_login(factor.user)
    steps = [(OLD, []), (OLD, [NEW]), (NEW, [OLD]), (NEW, [])]
    for before, after in pairwise(steps):
        for process in (before, after, before, after):
            settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = process
            assert client.get("/account/").status_code == 200
            assert secret_of(factor) == "JBSWY3DPEHPK3PXP"
        if after[0] == NEW:
            call_command("renew_secrets")


def test_rotation_without_the_former_key_changes_nothing_and_names_the_setting(factor, settings):
    settings.SECRET_KEY = NEW
    with pytest.raises(CommandError, match="SECRET_KEY_FALLBACKS"):
        call_command("renew_secrets")
    with pytest.raises(InvalidToken):
        secret_of(factor)
    settings.SECRET_KEY_FALLBACKS = [OLD]
    assert secret_of(factor) == "JBSWY3DPEHPK3PXP"


def test_renewing_can_be_repeated(factor):
    call_command("renew_secrets")
    call_command("renew_secrets")
    assert secret_of(factor) == "JBSWY3DPEHPK3PXP"
