"""The addresses of the dashboard, below `admin/`."""

from django.contrib import admin
from django.urls import path, re_path

from . import views

app_name = "queue"
urlpatterns = [
    re_path(r"^queue/?$", admin.site.admin_view(views.page), name="page"),
    path("queue/ask/<slug:name>", views.ask, name="ask"),
    path("queue/<slug:name>", views.act, name="act"),
]
