"""The addresses of the dashboard, below `admin/`."""

from django.contrib import admin
from django.urls import path, re_path

from . import views

app_name = "queue"
urlpatterns = [
    re_path(r"^queue/?$", admin.site.admin_view(views.page), name="page"),
    path("queue/confirm/<slug:name>", views.confirm_form, name="confirm"),
    path("queue/<slug:name>", views.perform, name="perform"),
]
