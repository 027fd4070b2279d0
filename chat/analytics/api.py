"""What clients send: events of theirs, and what people think of answers."""

from typing import Any, Literal
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from chat.accounts.owners import VisitorAuth
from chat.companions.registry import COMPANIONS
from chat.errors import InvalidInput
from chat.protocol.openapi import errors
from chat.protocol.schemas import CamelSchema, FeedbackOut, example

from . import feedback
from .event_names import Value, check, check_client_name
from .models import Reason
from .privacy import asked_not_to_track
from .tracker import track

router = Router(by_alias=True)

#: Events of one request.
MOST = 50


class EventIn(CamelSchema):
    """Something that happened: a name of the list in docs/analytics.md, or your own that begins with `x:`."""

    name: str
    companion: str = ""
    properties: dict[str, Value] = {}


class TrackIn(CamelSchema):
    """One event, or `events`: up to 50 of them."""

    model_config = example(name="x:map_opened", companion="travel", properties={"zoom": 3})

    name: str = ""
    companion: str = ""
    properties: dict[str, Value] = {}
    events: list[EventIn] | None = Field(default=None, min_length=1, max_length=MOST)

    def all(self) -> list[tuple[str, EventIn]]:
        """Each event with the path to it that a complaint begins with. Raises `InvalidInput`."""
        if bool(self.name) == (self.events is not None):
            raise InvalidInput("name", "Send either an event's name or a list of events.")
        if self.events is None:
            return [("", EventIn(name=self.name, companion=self.companion, properties=self.properties))]
        return [(f"events.{number}.", event) for number, event in enumerate(self.events)]


class TrackOut(CamelSchema):
    accepted: int
    """0 where nothing is kept: you asked not to be tracked, or this site keeps no events."""


class Unseen(VisitorAuth):
    """As everywhere, except that who asks not to be tracked is not even given a session."""

    async def __call__(self, request: HttpRequest) -> str:
        return "nobody" if asked_not_to_track() else await super().__call__(request)


@router.post(
    "/analytics/track",
    response={202: TrackOut} | errors(400, 413, 422),
    auth=Unseen(),
    tags=["analytics"],
)
async def track_events(request: HttpRequest, body: TrackIn) -> Status[Any]:
    """Count events. They are checked, and kept soon after. `DNT: 1` and `Sec-GPC: 1` keep nothing."""
    events = body.all()
    for path, event in events:
        _check(path, event)
    if asked_not_to_track() or not settings.ANALYTICS_DAYS:
        return Status(202, {"accepted": 0})
    for _, event in events:
        track(event.name, owner=request.auth, companion=event.companion, **event.properties)
    return Status(202, {"accepted": len(events)})


def _check(path: str, event: EventIn) -> None:
    try:
        check_client_name(event.name)
        if event.companion and event.companion not in COMPANIONS:
            raise InvalidInput("companion", f"Use one of {', '.join(COMPANIONS)}.")
        check(event.name, event.properties)
    except InvalidInput as exc:
        raise InvalidInput(path + exc.field, exc.message) from None


class FeedbackIn(CamelSchema):
    """What you think of an answer."""

    model_config = example(value="down", reason="wrong", comment="It is closed on Mondays.")

    value: Literal["up", "down"]
    reason: Reason | Literal[""] = ""
    comment: str = Field(default="", max_length=1000)


@router.put(
    "/messages/{message_id}/feedback",
    response={200: FeedbackOut} | errors(400, 404, 413, 422),
    tags=["messages"],
)
async def give_feedback(request: HttpRequest, message_id: UUID, body: FeedbackIn) -> dict[str, Any]:
    """Say what you think of an answer; it replaces what you said before."""
    given = await sync_to_async(feedback.give)(
        owner=request.auth,
        message_id=message_id,
        value=body.value,
        reason=str(body.reason),
        comment=body.comment,
    )
    return feedback.view(given)


@router.delete("/messages/{message_id}/feedback", response={204: None} | errors(404), tags=["messages"])
async def take_feedback_back(request: HttpRequest, message_id: UUID) -> Status[Any]:
    """Forget what you said about an answer."""
    await sync_to_async(feedback.take_back)(owner=request.auth, message_id=message_id)
    return Status(204, None)
