"""A job, and the words by which operators find it."""

from django.db import models
from django.db.models import Q

from queueing.states import FINISHED, UNFINISHED, State
from queueing.values.ids import new_id

_STATES = [(state.value, state.value) for state in State]
_UNFINISHED = Q(state__in=sorted(UNFINISHED))
#: While this holds, no other job may have the job's unique key. So the statement that ends the span gives the
#: key free, also one of an older version of this program, or of a person.
_HOLDS_KEY = Q(unique_key__isnull=False) & (
    Q(unique_span="period") | (_UNFINISHED & (Q(unique_span="end") | Q(token="")))
)


class Job(models.Model):
    """A unit of work, from its submission to its one terminal state."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=100)
    kind_version = models.SmallIntegerField(default=1, db_default=1)
    """The version of the kind in the submitting process. Workers with an older version do not run the job."""
    queue = models.CharField(max_length=100)
    owner = models.CharField(max_length=64, blank=True)
    """The owner, who alone receives the job's events. Empty for the system's own jobs."""
    share = models.CharField(max_length=64, blank=True, default="", db_default="")
    """What the owner has in common with others, such as a network: in line they count as one owner."""
    request_id = models.CharField(max_length=64, blank=True)
    """The submitter's own id. Together with the owner it makes a submission idempotent."""
    args = models.JSONField(default=dict)
    meta = models.JSONField(default=dict)
    """Short texts that are repeated in each event of the job, for example the id of a thread."""
    state = models.CharField(max_length=10, choices=_STATES, default=State.WAITING)
    priority = models.PositiveSmallIntegerField()
    attempts = models.PositiveSmallIntegerField(default=0)
    """Attempts that have begun and were not given back."""
    run_count = models.PositiveIntegerField(default=0)
    """The number of runs that have begun. It only grows, so it distinguishes the texts of different runs."""
    max_attempts = models.PositiveSmallIntegerField(default=1)
    options = models.JSONField(null=True, blank=True)
    """What the job has in place of the options of its kind (`Options.stored`); most have nothing."""
    unique_key = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001 (no table is rewritten)
    """What makes the job unique (unique.py). It stays with a finished job, for a retry."""
    unique_span = models.CharField(max_length=6, null=True, blank=True)  # noqa: DJ001 (likewise)
    """How long no other job may have the key: until the `end`, the first `start`, or for a `period`."""
    expires_at = models.DateTimeField(null=True, blank=True)
    """The deadline: no run of the job begins later."""
    stalls = models.PositiveSmallIntegerField(default=0)
    """How often a worker died that ran this job alone."""
    suspect = models.BooleanField(default=False, db_default=False)
    """Whether a worker died while it ran this job: it then runs alone, until it ends in another way."""
    unfinished_parents = models.PositiveIntegerField(default=0)
    """The number of unfinished jobs that this one waits for. Above 0 the job is delayed and not in Redis."""
    has_dependents = models.BooleanField(default=False)
    token = models.CharField(max_length=64, blank=True)
    """The token of the latest claim. An outcome is accepted only under this token."""
    run_at = models.DateTimeField(null=True, blank=True)
    """The time at which a delayed job becomes waiting."""
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    """The time at which the latest attempt began."""
    finished_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(null=True, blank=True)
    text = models.TextField(blank=True)
    """The text that was streamed before the job ended without completing."""
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    """A sentence for the owner. Technical details are in the failed attempts."""

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "request_id"], condition=~Q(request_id=""), name="job_once_per_request"
            ),
            models.UniqueConstraint(fields=["unique_key"], condition=_HOLDS_KEY, name="job_unique"),
            models.CheckConstraint(condition=Q(state__in=[s.value for s in State]), name="job_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=sorted(FINISHED), finished_at__isnull=False)
                | Q(state__in=sorted(UNFINISHED), finished_at__isnull=True),
                name="job_finished_at_iff_finished",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=_UNFINISHED, name="job_unfinished"),
            models.Index(fields=["id"], condition=Q(suspect=True), name="job_suspect"),
            models.Index(fields=["queue", "id"], condition=Q(state=State.FAILED), name="job_failed"),
            # SQLite does not use the index of `job_once_per_request`: no statement repeats its condition.
            models.Index(fields=["owner", "request_id"], name="job_of_owner"),
            models.Index(fields=["id"], condition=Q(unfinished_parents__gt=0), name="job_has_parents"),
            models.Index(
                fields=["expires_at"], condition=Q(expires_at__isnull=False) & _UNFINISHED, name="job_expires"
            ),
        ]
        permissions = [
            ("operate_queue", "Can pause, resume, drain and change queues"),
            ("view_contents", "Can see what jobs are about: arguments, results, texts"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id.hex}"

    @property
    def is_finished(self) -> bool:
        """Whether the job has reached its terminal state."""
        return self.state in FINISHED


class JobTag(models.Model):
    """A word by which operators find a job."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="tags", db_index=False)
    tag = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "tag"], name="job_tag_once")]
        indexes = [models.Index(fields=["tag", "job"], name="job_tag")]

    def __str__(self) -> str:
        return self.tag
