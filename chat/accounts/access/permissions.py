"""Permissions of staff that Django does not know."""

from django.http import HttpRequest


def may_read(request: HttpRequest) -> bool:
    """Return whether the user may read messages."""
    return request.user.has_perm("chat.view_message_content")
