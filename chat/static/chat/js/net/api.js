// The HTTP API. Every failure is an ApiError that carries the code of the problem details.

import { SESSION_ENDED } from "../text/error-messages.js";
import { otherOwner, owner } from "./owner.js";

export class ApiError extends Error {
  constructor(status, problem = {}) {
    super(problem.detail || problem.title || "The server did not answer.");
    this.status = status;
    this.code = problem.code;
    this.retryAfter = problem.retryAfter;
    this.care = problem.care;
  }
}

const csrfToken = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";

/** Return the error. The cookies may be another owner's by now, for example after another tab signed out, or gone. */
function refusedBy(status, problem) {
  const isGone = problem?.code === "csrf_failed" && !csrfToken();
  if (!isGone && problem?.code !== "other_owner") return new ApiError(status, problem ?? {});
  otherOwner();
  return new ApiError(status, { code: "other_owner", detail: SESSION_ENDED });
}

async function call(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        Accept: "application/json",
        "Buddy-Owner": owner.me,
        ...(body && { "Content-Type": "application/json" }),
        ...(method !== "GET" && { "X-CSRFToken": csrfToken() }),
      },
      body: body && JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0);
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw refusedBy(response.status, answer);
  return answer;
}

/**
 * Upload a form or JSON; `onProgress` receives the share that was sent, 0 to 1.
 * Return {answer, abort(), aborted}; `answer` is a promise.
 */
function upload(path, body, onProgress) {
  const request = new XMLHttpRequest(); // fetch reports no progress
  const upload = { aborted: false };
  upload.abort = () => {
    upload.aborted = true;
    request.abort();
  };
  upload.answer = new Promise((resolve, reject) => {
    request.open("POST", path);
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("Buddy-Owner", owner.me);
    if (typeof body === "string") request.setRequestHeader("Content-Type", "application/json");
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(loaded / total));
    request.addEventListener("loadend", () => {
      const { status, response } = request;
      if (status >= 200 && status < 300) resolve(response);
      else reject(refusedBy(status, response));
    });
    request.send(body);
  });
  return upload;
}

const query = (fields) => (fields ? `?${new URLSearchParams(fields)}` : "");

export const api = {
  upload,
  threads: (before) => call("GET", `/api/threads${query(before && { before })}`),
  find: (q, before) => call("GET", `/api/threads${query({ q, ...(before && { before }) })}`),
  /** place: {before}, {after} or {around}, the id of a message; without it the newest page. */
  thread: (id, place) => call("GET", `/api/threads/${id}${query(place)}`),
  usage: () => call("GET", "/api/usage"),
  rename: (id, title) => call("PATCH", `/api/threads/${id}`, { title }),
  remove: (id) => call("DELETE", `/api/threads/${id}`),
  say: (companion, message) => call("POST", `/api/${companion}`, message),
  cancel: (jobId) => call("DELETE", `/api/jobs/${jobId}`),
  voice: () => call("GET", "/api/voice"),
  thoughts: (jobId) => call("GET", `/api/jobs/${jobId}/thoughts`),
  retry: (jobId) => call("POST", `/api/jobs/${jobId}/retry`),
  edit: (messageId, change) => call("PATCH", `/api/messages/${messageId}`, change),
  /** Choose the branch of a message. */
  choose: (threadId, messageId) => call("PUT", `/api/threads/${threadId}/leaf`, { messageId }),
  rate: (id, feedback) => call(feedback ? "PUT" : "DELETE", `/api/messages/${id}/feedback`, feedback),
  withdraw: (messageId) => call("DELETE", `/api/messages/${messageId}`),
  care: (wanted) => call("GET", `/api/care${query(wanted)}`),
  /** Send messages of the connection without a WebSocket; the answer has events. */
  connection: (body) => call("POST", "/api/connection", body),
};
