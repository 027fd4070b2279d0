"""Sessions of users, API tokens, blocks, invitations, e-mails that wait, and who was erased of late."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class UserSession(models.Model):
    """A session in which a user is signed in, kept so that all of them can be ended together."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sessions")
    session_key = models.CharField(max_length=40, unique=True)
    """The digest of the key by which the session is stored (`stored_key`)."""
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(null=True)
    """Precise to five minutes; None if an earlier version stored it."""
    address = models.CharField(max_length=50, blank=True, db_default="")
    """The `client_address` of the last use; empty if it is unknown."""
    user_agent = models.CharField(max_length=300, blank=True, db_default="")
    """What the browser calls itself."""

    def __str__(self) -> str:
        return f"user {self.user_id} since {self.created_at:%Y-%m-%d %H:%M}"


class _Blocks(models.Manager["Block"]):
    def active(self) -> "models.QuerySet[Block]":
        """Return the blocks that are in force."""
        ended = models.Q(ends_at__lte=timezone.now()) | models.Q(lifted_at__isnull=False)
        return self.exclude(ended)


class Block(models.Model):
    """An owner or a network that may not use the site. It stays after its end: it says who blocked whom."""

    owner = models.CharField(max_length=64, blank=True, db_index=True)
    """A key of `chat.accounts.access.owners`; empty for a network."""
    network = models.CharField(max_length=50, blank=True)
    """Such as `192.0.2.0/24`; empty for an owner."""
    reason = models.CharField(max_length=300)
    """A sentence that the blocked read."""
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150)
    """The name of the operator, as the next one."""
    ends_at = models.DateTimeField(null=True, blank=True)
    """None: when it is lifted."""
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=150, blank=True)

    objects = _Blocks()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(owner="") ^ models.Q(network=""), name="block_owner_or_network"
            )
        ]

    def __str__(self) -> str:
        return f"block of {self.owner or self.network}"

    @property
    def is_active(self) -> bool:
        """Return whether the block is in force."""
        return self.lifted_at is None and (self.ends_at is None or self.ends_at > timezone.now())


class Invitation(models.Model):
    """A link with which one person can sign up while `SIGN_UP` is `invited`."""

    digest = models.CharField(max_length=64, unique=True)
    """The SHA-256 of the secret in the link."""
    note = models.CharField(max_length=200, blank=True)
    """For whom it is; for operators."""
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150)
    ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"invitation until {self.ends_at:%Y-%m-%d}"


class ErasedOwner(models.Model):
    """An owner whose data was erased, remembered for a day so that a late write is erased as well."""

    digest = models.CharField(max_length=64, primary_key=True)
    """A digest of the owner's key."""
    erased_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.digest


class OutgoingMail(models.Model):
    """An e-mail that waits for the mail server."""

    sealed = models.TextField()
    """Its parts as encrypted JSON (`mail.post`)."""
    expires_at = models.DateTimeField(db_index=True)
    """When the code or the link in it is no longer valid."""

    def __str__(self) -> str:
        return f"until {self.expires_at:%Y-%m-%d %H:%M}"


class Token(models.Model):
    """An API token: lets a program act for a user. The secret is shown once and not stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=60)
    """A name that the user chose."""
    digest = models.CharField(max_length=64, unique=True)
    """The SHA-256 of the secret. A secret has 256 random bits, so a slow hash would add nothing."""
    prefix = models.CharField(max_length=12)
    """The first characters of the secret, by which the user recognizes it."""
    scopes = models.JSONField(default=list)
    """Keys of `texts.SCOPE_LABELS`."""
    created_at = models.DateTimeField(auto_now_add=True)
    created_from = models.CharField(max_length=50, blank=True, db_default="")
    """The `client_address` of who created it; empty if a command did, or an earlier version."""
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    """Precise to the minute."""
    last_used_from = models.CharField(max_length=50, blank=True, db_default="")
    """The `client_address` of that use."""

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.prefix}… of user {self.user_id}"

    @property
    def owner(self) -> str:
        """Return the owner for whom the token acts."""
        return f"u:{self.user_id}"

    @property
    def has_expired(self) -> bool:
        """Return whether the token is past its expiry."""
        return self.expires_at is not None and self.expires_at <= timezone.now()
