"""The API for the events of clients, and for feedback on answers."""

from itertools import islice
from typing import Annotated, Any, Literal
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Status
from pydantic import BeforeValidator, Field

from chat import limits
from chat.accounts.access.owners import VisitorAuth
from chat.companions.registry import COMPANIONS
from chat.companions.removed import removed_companions
from chat.errors import InvalidInput
from chat.limits.addresses import client_address
from chat.protocol.openapi import errors
from chat.protocol.schemas.base import CamelSchema, example
from chat.protocol.schemas.threads import FeedbackOut

from . import feedback, texts
from .models import FeedbackReason
from .tracking.event_names import MAX_PROPERTIES, Value, check, check_client_name
from .tracking.privacy import is_do_not_track
from .tracking.tracker import track

router = Router(by_alias=True)

#: Maximum events of one request.
MAX_EVENTS = 50


def _first(given: Any) -> Any:
    """Return one property too many at most: very many would each be compared with each type."""
    return dict(islice(given.items(), MAX_PROPERTIES + 1)) if isinstance(given, dict) else given


Properties = Annotated[dict[str, Value], BeforeValidator(_first)]


class EventIn(CamelSchema):
    """An event: a name from docs/analytics.md, or your own name that begins with `x:`."""

    name: str
    companion: str = ""
    properties: Properties = {}


class TrackIn(CamelSchema):
    """One event, or `events`: up to 50 of them."""

    model_config = example(name="x:map_opened", companion="travel", properties={"zoom": 3})

    name: str = ""
    companion: str = ""
    properties: Properties = {}
    events: list[EventIn] | None = Field(default=None, min_length=1, max_length=MAX_EVENTS)

    def with_paths(self) -> list[tuple[str, EventIn]]:
        """Return each event with the prefix of its fields in error messages. Raises `InvalidInput`."""
        if bool(self.name) == (self.events is not None):
            raise InvalidInput("name", texts.NAME_OR_LIST)
        if self.events is None:
            return [("", EventIn(name=self.name, companion=self.companion, properties=self.properties))]
        return [(f"events.{number}.", event) for number, event in enumerate(self.events)]


class TrackOut(CamelSchema):
    """The number of events that will be stored."""

    accepted: int
    """0 when nothing is stored: you asked not to be tracked, or this site stores no events."""


class OptionalVisitorAuth(VisitorAuth):
    """A `VisitorAuth` that creates no session for clients with do-not-track."""

    async def __call__(self, request: HttpRequest) -> str:
        return "untracked" if is_do_not_track() else await super().__call__(request)


@router.post(
    "/analytics/track",
    response={202: TrackOut} | errors(400, 413, 422),
    auth=OptionalVisitorAuth(),
    tags=["analytics"],
)
async def track_events(request: HttpRequest, body: TrackIn) -> Status[Any]:
    """Check events, and store them soon after. With `DNT: 1` or `Sec-GPC: 1` nothing is stored."""
    events = body.with_paths()
    companions = await _companions({event.companion for _, event in events})
    for path, event in events:
        _check(path, event, companions)
    if is_do_not_track() or not settings.ANALYTICS_DAYS:
        return Status(202, {"accepted": 0})
    await sync_to_async(limits.check)("events", client_address(request), len(events))
    for _, event in events:
        track(event.name, owner=request.auth, companion=event.companion, **event.properties)
    return Status(202, {"accepted": len(events)})


async def _companions(named: set[str]) -> set[str]:
    """Return the companions that an event can name: also a removed one, whose conversations are read."""
    known = {"", *COMPANIONS}
    return known if named <= known else known.union(await sync_to_async(removed_companions)())


def _check(path: str, event: EventIn, companions: set[str]) -> None:
    try:
        check_client_name(event.name)
        if event.companion not in companions:
            raise InvalidInput("companion", texts.use_one_of(list(COMPANIONS)))
        check(event.name, event.properties)
    except InvalidInput as exc:
        raise InvalidInput(path + exc.field, exc.message) from None


class FeedbackIn(CamelSchema):
    """Feedback on an answer."""

    model_config = example(value="down", reason="wrong", comment="It is closed on Mondays.")

    value: Literal["up", "down"]
    reason: FeedbackReason | Literal[""] = ""
    comment: str = Field(default="", max_length=1000)


@router.put(
    "/messages/{message_id}/feedback",
    response={200: FeedbackOut} | errors(400, 404, 413, 422),
    tags=["messages"],
)
async def give_feedback(request: HttpRequest, message_id: UUID, body: FeedbackIn) -> dict[str, Any]:
    """Rate an answer. This replaces your earlier feedback on it."""
    given = await sync_to_async(feedback.save)(
        owner=request.auth,
        message_id=message_id,
        value=body.value,
        reason=str(body.reason),
        comment=body.comment,
    )
    return feedback.public(given)


@router.delete("/messages/{message_id}/feedback", response={204: None} | errors(404), tags=["messages"])
async def delete_feedback(request: HttpRequest, message_id: UUID) -> Status[Any]:
    """Delete your feedback on an answer."""
    await sync_to_async(feedback.delete)(owner=request.auth, message_id=message_id)
    return Status(204, None)
