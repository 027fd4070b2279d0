"""Users, groups and addresses in the admin: a permission to change them is no way to more rights.

Second factors are not in the admin: `manage.py reset_second_factor` is the only way to remove them.
"""

from typing import Any

from allauth.account.admin import EmailAddressAdmin
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest

from . import admission_admin  # noqa: F401  (registers blocks and invitations)

admin.site.unregister(User)
admin.site.unregister(Group)
admin.site.unregister(EmailAddress)
admin.site.unregister(Authenticator)
for _model in (SocialAccount, SocialApp, SocialToken):  # an account or a provider more is a way to sign in
    admin.site.unregister(_model)

#: The fields that give rights.
_RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


@admin.register(User)
class SafeUserAdmin(UserAdmin):
    """Users. Only a superuser changes staff: a password is a way to the rights of its owner."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if _is_superuser(request) else (*fields, *_RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may(request, obj) and super().has_delete_permission(request, obj)


def _may(request: HttpRequest, user: Any) -> bool:
    return _is_superuser(request) or user is None or not (user.is_staff or user.is_superuser)


class _ChangedBySuperusers:
    """Rows that others may only view: changing them would give rights."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)


@admin.register(Group)
class SafeGroupAdmin(_ChangedBySuperusers, GroupAdmin):
    """Groups: their members get the rights of a group."""


@admin.register(EmailAddress)
class SafeAddressAdmin(_ChangedBySuperusers, EmailAddressAdmin):
    """Addresses: a verified one resets the password of its account."""

    actions = None

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return ["email"]
