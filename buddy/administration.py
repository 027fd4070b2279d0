"""The administration: staff sign in on the page of the site, with a second factor where it is required."""

from typing import Any

from allauth.account.utils import get_next_redirect_url
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse

from chat.accounts import second_factor


class Administration(AdminSite):
    """Django's administration. Everything that is for staff asks its `has_permission`."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether the user is staff and has used a second factor, if it is required. Blocks."""
        return super().has_permission(request) and not second_factor.is_missing(request)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to what is missing: signing in, the second factor, or setting one up."""
        target = get_next_redirect_url(request) or reverse("admin:index")
        if self.has_permission(request):
            return HttpResponseRedirect(target)
        if not request.user.is_authenticated:
            return redirect_to_login(target, reverse("account_login"))
        if not super().has_permission(request):
            raise PermissionDenied
        return redirect_to_login(target, second_factor.page_for(request.user))

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to the page of the site."""
        return redirect("account_change_password")
