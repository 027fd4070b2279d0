"""The administration: staff sign in on the page of the site, with a second factor where it is required.

What changes something needs a recent proof of identity. Without one, the page that asks for the password or a
code comes first, and then the form that was sent is carried out.
"""

from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.account.utils import get_next_redirect_url
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse

from chat.accounts.signing_in import second_factor

#: Words of a search.
_MAX_WORDS = 50


class Administration(AdminSite):
    """Django's administration. Everything that is for staff asks its `has_permission`."""

    site_title = "Buddy Companion"

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether the user is staff and has used a second factor, if it is required. Blocks."""
        return super().has_permission(request) and not second_factor.is_missing(request)

    def proof_page(self, request: HttpRequest) -> str:
        """Return the page on which the user proves the identity; empty if that was done of late. Blocks."""
        if second_factor.has_recent_proof(request):
            return ""
        methods = get_adapter().get_reauthentication_methods(request.user)
        if not methods:
            raise PermissionDenied
        return str(methods[0]["url"])

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Return the view, which asks for a recent proof before a form is carried out.

        A search has few words: a statement with thousands of conditions is too deep for the database.
        """

        @wraps(view)
        def proven(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.method == "POST" and request.path != reverse("admin:logout"):
                raise_if_reauthentication_required(request, app="admin")
            if any(len(request.GET.get(name, "").split()) > _MAX_WORDS for name in ("q", "term")):
                raise BadRequest(f"a search has at most {_MAX_WORDS} words")
            try:
                return view(request, *args, **kwargs)
            except (
                ValidationError
            ):  # Django's view of links to objects does not expect the id of another kind
                raise Http404 from None

        return super().admin_view(proven, cacheable)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to what is missing: signing in, the second factor, or setting one up."""
        target = get_next_redirect_url(request) or reverse("admin:index")
        if self.has_permission(request):
            return HttpResponseRedirect(target)
        if not request.user.is_authenticated:
            return redirect_to_login(target, reverse("account_login"))
        if not super().has_permission(request):
            raise PermissionDenied(f"{target} is for staff")
        return redirect_to_login(target, second_factor.page_for(request.user))

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to the page of the site."""
        return redirect("account_change_password")
