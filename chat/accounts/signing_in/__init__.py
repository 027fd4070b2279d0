"""Signing in and up: who may have an account, how it is proved, and what django-allauth asks the site."""
