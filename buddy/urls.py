"""The addresses of the site. The addresses of WebSockets are in asgi.py."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from chat.care.views import help_lines
from chat.http.api import api
from chat.http.openapi_file import openapi_file
from chat.http.pages import index
from chat.http.problems import no_such_address, with_problem_405

from .health import healthz, readyz
from .metrics import metrics

handler400 = "chat.http.problems.bad_request"
handler500 = "chat.http.problems.server_error"
urlpatterns = [
    path("", index, name="index"),
    re_path(r"^t/(?P<thread_id>[0-9a-f]{32})/?$", index, name="thread"),
    path("api/openapi.json", openapi_file),
    path("api/", with_problem_405(api.urls)),
    re_path(r"^api/", no_such_address),
    path("care", help_lines, name="care"),
    path("account/", include("chat.accounts.pages.urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("admin/analytics/", include("chat.analytics.staff_page.urls")),
    path("admin/", include("queueing.dashboard.urls")),
    path("admin/", admin.site.urls),
    path(
        "favicon.ico",
        RedirectView.as_view(url="/static/chat/favicon.svg", permanent=False),
        name="favicon",
    ),
]
