"""The list of all inputs, from the code: frames, operations, forms, the admin, kinds of files."""

from collections.abc import Iterator
from typing import Any, get_args

from django import forms
from django.contrib import admin
from django.urls import get_resolver

from chat.documents.texts import KIND_NAMES
from chat.http.api import api
from chat.protocol import client_messages
from chat.voice import formats
from queueing.api.admin import ReadOnly

#: Letters up to which a text is no matter of growth.
SMALL = 300


def all_inputs() -> set[str]:
    """Return the names of all inputs whose length the protocol itself does not keep small."""
    return {
        *_fields_of_frames(),
        *_fields_of_operations(),
        *_fields_of_forms(),
        *_fields_of_admin(),
        *_kinds_of_files(),
    }


def _fields_of_frames() -> Iterator[str]:
    for message in get_args(client_messages.ClientMessage):
        schema = message.model_json_schema()
        name = schema["properties"]["type"]["const"]
        yield from (f"frame {name}: {field}" for field in _long_fields(schema, schema.get("$defs", {})))


def _fields_of_operations() -> Iterator[str]:
    document: dict[str, Any] = api.get_openapi_schema()
    defined = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", []):
                if parameter["in"] != "path" and _is_long(parameter["schema"], defined):
                    yield f"{method} {path}: {parameter['name']}"
            for body in operation.get("requestBody", {}).get("content", {}).values():
                schema = _resolved(body["schema"], defined)
                yield from (f"{method} {path}: {field}" for field in _long_fields(schema, defined))


def _long_fields(schema: dict[str, Any], defined: dict[str, Any]) -> Iterator[str]:
    for field, of_field in schema["properties"].items():
        if _is_long(of_field, defined):
            yield field


def _is_long(schema: dict[str, Any], defined: dict[str, Any]) -> bool:
    schema = _resolved(schema, defined)
    if any(_is_long(one, defined) for one in schema.get("anyOf", [])):
        return True
    if schema.get("type") in ("array", "object"):
        return True
    is_small = {"const", "enum", "pattern"} & schema.keys() or schema.get("format") == "uuid"
    return schema.get("type") == "string" and not is_small and schema.get("maxLength", SMALL + 1) > SMALL


def _resolved(schema: dict[str, Any], defined: dict[str, Any]) -> dict[str, Any]:
    schema = schema.get("allOf", [schema])[0]  # what has a default
    return defined[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _fields_of_forms() -> Iterator[str]:
    assert get_resolver().url_patterns  # loads all pages, and with them their forms
    for form in _subclasses(forms.BaseForm):
        if form.__module__.startswith(_SERVED) and not form.__module__.startswith(_UNSERVED):
            yield from (f"form field {name}" for name in _long_texts(getattr(form, "base_fields", {})))


#: Modules of forms that pages of the site use, and of some that no page uses.
_SERVED, _UNSERVED = (
    ("chat.", "queueing.", "buddy.", "allauth.", "django.contrib.auth."),
    ("allauth.mfa.webauthn", "allauth.socialaccount.admin"),
)


def _long_texts(fields: dict[str, Any]) -> Iterator[str]:
    for name, field in fields.items():
        if isinstance(field, forms.CharField) and (field.max_length or SMALL + 1) > SMALL:
            yield name


def _fields_of_admin() -> Iterator[str]:
    """Yield the search of the admin, and the fields of the models that staff can change there."""
    yield "admin search"
    for model, model_admin in admin.site._registry.items():
        if not isinstance(model_admin, ReadOnly):
            label = model._meta.label_lower
            fields = forms.models.fields_for_model(model)
            yield from (f"admin {label}: {name}" for name in _long_texts(fields))


def _subclasses(one: type) -> Iterator[Any]:
    for subclass in one.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _kinds_of_files() -> Iterator[str]:
    yield from (f"file {kind}" for kind in KIND_NAMES)
    yield from (f"file {audio.extension}" for audio in formats.BY_MEDIA_TYPE.values())
