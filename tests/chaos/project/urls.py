"""Buddy's addresses, and one that submits the kinds in `jobs.py`."""

import json

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.views.decorators.http import require_POST

from chat.accounts.access.owners import owner_of_request
from queueing.api import Rejected, submit

from .jobs import KINDS


@require_POST
def submit_job(request: HttpRequest) -> JsonResponse:
    """Submit a job for the visitor, once for each request id."""
    body = json.loads(request.body)
    if body["kind"] not in KINDS:
        return JsonResponse({"code": "unknown"}, status=503)  # this version does not offer it
    args = {"key": body["requestId"], "seconds": body["seconds"]}
    if body["kind"] == "chaos.grown" and settings.CHAOS_VERSION >= 2:
        args["tone"] = "calm"
    try:
        owner = owner_of_request(request)
        job = submit(body["kind"], args, owner=owner, request_id=body["requestId"]).job
    except Rejected as exc:
        return JsonResponse({"code": exc.code}, status=503)
    return JsonResponse({"jobId": job.id.hex, "requestId": job.request_id}, status=202)


urlpatterns = [path("chaos/jobs", submit_job), path("", include("buddy.urls"))]
