"""Sending a document."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

#: One part of eight each, in the window that these workers have.
SECTIONS = 8


TEXT = "\n\n".join(
    f"# Year {n}\n\nIn the year {n} the harbour took in {n * 100} ships."
    + " Nothing else was said of it." * 45
    for n in range(1, SECTIONS + 1)
)


async def send(one, *, name: str = "harbour.md", data: bytes = TEXT.encode(), **fields: str) -> Any:
    """A form, as the page sends it."""
    token = one.client.cookies["csrftoken"].value
    form = {"companion": "travel", "file": SimpleUploadedFile(name, data)} | fields
    return await one.client.post("/api/analysis", form, headers={"X-CSRFToken": token})


async def accepted(one, **fields: Any) -> dict[str, Any]:
    response = await send(one, **fields)
    assert response.status_code == 202, response.content
    return response.json()
