"""The base of the schemas, and the schema of an error."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel

HexId = Annotated[UUID, PlainSerializer(lambda value: value.hex, return_type=str)]


class CamelSchema(BaseModel):
    """Base of the schemas: Python's names here, camelCase in JSON.

    Not ninja's Schema: that one reads attributes of any object, and so accepts the JSON text "abc",
    which has a method `title`, as a thread's new title.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


def example(**fields: Any) -> ConfigDict:
    """Return a body's `model_config` with the example that /api/docs fills in."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    retryAfter: float | None = None
    care: dict[str, Any] | None = None
