"""Where a user is signed in, and what programs may act for them."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class SignIn(models.Model):
    """A session of a user's: it can be ended with all the others when the password changes."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"user {self.user_id} since {self.at:%Y-%m-%d %H:%M}"


class Token(models.Model):
    """A program's key to a user's conversations. The secret itself is shown once and not kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=60)
    """What the user calls it."""
    digest = models.CharField(max_length=64, unique=True)
    """SHA-256 of the secret, which is 256 random bits: there is nothing to guess, so nothing to slow down."""
    start = models.CharField(max_length=12)
    """The secret's first letters, to know it by."""
    scopes = models.JSONField(default=list)
    """Some of `tokens.SCOPES`."""
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    """To the minute."""

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.start}… of user {self.user_id}"

    @property
    def has_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and self.expires_at <= timezone.now()
