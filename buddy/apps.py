"""The administration as an app, with the site's own rules for who may open it."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    default_site = "buddy.administration.Administration"
