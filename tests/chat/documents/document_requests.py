"""Requests that submit a document."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

#: Each section is one part in the context window of the tests' workers.
SECTIONS = 8


TEXT = "\n\n".join(
    f"# Year {n}\n\nIn the year {n} the harbour took in {n * 100} ships."
    + " Nothing else was said of it." * 45
    for n in range(1, SECTIONS + 1)
)


async def send_document(one, *, name: str = "harbour.md", data: bytes = TEXT.encode(), **fields: str) -> Any:
    """Post the form that the page sends."""
    token = one.client.cookies["csrftoken"].value
    form = {"companion": "travel", "file": SimpleUploadedFile(name, data)} | fields
    return await one.client.post("/api/analysis", form, headers={"X-CSRFToken": token})


async def submit_document(one, **fields: Any) -> dict[str, Any]:
    """Post the form and return the accepted job."""
    response = await send_document(one, **fields)
    assert response.status_code == 202, response.content
    return response.json()
