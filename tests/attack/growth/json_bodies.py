"""Hostile bodies of each operation that takes JSON: every field of the API's schemas grown to the limit."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from chat.companions.registry import COMPANIONS
from chat.http.api import api

#: Makes JSON of about a length.
Maker = Callable[[int], str]
#: Companions whose operation is the same as that of another.
_SAME = [f"/api/{name}" for name in list(COMPANIONS)[1:]]


@dataclass(frozen=True)
class Body:
    """A body in which one field is hostile."""

    method: str
    path: str
    about: str
    text: str


def _many(unit: str, start: str = "[", end: str = "]") -> Maker:
    return lambda length: start + (unit + ",") * (length // (len(unit) + 1)) + unit + end


def _many_keys(length: int) -> str:
    return "{" + ",".join(f'"a{number:x}":[]' for number in range(length // 12)) + "}"


def _texts(texts: dict[str, Callable[[int], str]]) -> dict[str, Maker]:
    def escaped(make: Callable[[int], str]) -> Maker:
        return lambda length: json.dumps(make(length // 2), ensure_ascii=False)

    return {name: escaped(make) for name, make in texts.items()}


#: What no field expects, by name.
STRUCTURES: dict[str, Maker] = {
    "empty lists": _many("[]"),
    "empty objects": _many("{}"),
    "numbers": _many("1.5"),
    "empty strings": _many('""'),
    "keys": _many_keys,
}


def bodies(texts: dict[str, Callable[[int], str]]) -> Iterator[Body]:
    """Yield a body for each operation, field and kind of hostile value; strings have these texts.

    What is no object is read by the same parser for all operations: the first gets it.
    """
    roots = _roots()
    document: dict[str, Any] = api.get_openapi_schema()
    defined = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            if path not in _SAME and "application/json" in content:
                schema = _resolved(content["application/json"]["schema"], defined)
                address = path.replace("{thread_id}", "0" * 32).replace("{message_id}", "0" * 32)
                for about, make in {**_of_object(schema, defined, texts), **roots}.items():
                    length = settings.DATA_UPLOAD_MAX_MEMORY_SIZE - 200
                    yield Body(method.upper(), address, about, _cut(make, length))
                roots = {}


def _cut(make: Maker, length: int) -> str:
    """Return a text that has at most `length` bytes."""
    text = make(length)
    return text if (size := len(text.encode())) <= length else make(length * length // size - 100)


def _roots() -> dict[str, Maker]:
    return {f"a body of {name}": make for name, make in STRUCTURES.items()} | {
        "nested lists": lambda length: "[" * length,
        "nested objects": lambda length: '{"a":' * (length // 5),
        "quotes": lambda length: '"' * length,
        "one number": lambda length: "1" * length,
        "escapes": lambda length: '"' + "\\n" * (length // 2) + '"',
    }


def _of_object(schema: dict[str, Any], defined: Any, texts: Any) -> dict[str, Maker]:
    """Return makers of objects in which one field is hostile, and of one with an unknown field."""
    required = {name: _small(schema["properties"][name], defined) for name in schema.get("required", [])}
    found = {}
    for name, of_field in {**schema["properties"], "unknown": {"type": "array"}}.items():
        for about, make in _of_value(of_field, defined, texts).items():
            found[f"{name}: {about}"] = _with(required, name, make)
    return found


def _with(required: dict[str, Any], name: str, make: Maker) -> Maker:
    others = "".join(f"{json.dumps(key)}:{json.dumps(value)}," for key, value in required.items())
    return lambda length: f"{{{others}{json.dumps(name)}:{make(length)}}}"


def _of_value(schema: dict[str, Any], defined: Any, texts: Any) -> dict[str, Maker]:
    schema = _resolved(schema, defined)
    if "anyOf" in schema:
        return {
            name: make for one in schema["anyOf"] for name, make in _of_value(one, defined, texts).items()
        }
    if schema.get("type") == "string" and not {"enum", "const", "pattern", "format"} & schema.keys():
        return _texts(texts)
    if schema.get("type") == "array":
        return STRUCTURES | _of_items(_resolved(schema.get("items", {}), defined), defined, texts)
    return STRUCTURES if schema.get("type") == "object" else {}


def _of_items(items: dict[str, Any], defined: Any, texts: Any) -> dict[str, Maker]:
    """Return lists with one hostile item, and with very many good ones."""
    if "properties" not in items:
        return {"one item": lambda length: f'[{{"type":"ping","t":{_many("[]")(length)}}}]'}
    good = json.dumps({name: _small(one, defined) for name, one in items["properties"].items()})
    inside = {
        f"one item with {name}": lambda length, make=make: f"[{make(length)}]"
        for name, make in _of_object(items, defined, texts).items()
    }
    return {"good items": _many(good), **inside}


def _small(schema: dict[str, Any], defined: Any) -> Any:
    """Return a small value that a field takes."""
    schema = _resolved(schema, defined)
    if "enum" in schema:
        return schema["enum"][-1]
    return {"array": [], "object": {}, "boolean": True}.get(schema.get("type", ""), "travel")


def _resolved(schema: dict[str, Any], defined: Any) -> dict[str, Any]:
    schema = schema.get("allOf", [schema])[0]  # what has a default
    return defined[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
