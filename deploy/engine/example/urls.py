"""The administration, with the dashboard of the queues at admin/queue."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("admin/", include("queueing.dashboard.urls")), path("admin/", admin.site.urls)]
