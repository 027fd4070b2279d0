"""Model servers that already run on this computer: `make run` names them, and uses none by itself."""

import http.client
import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

#: The usual ports of Ollama, llama.cpp, LM Studio and vLLM.
PORTS = (11434, 8080, 1234, 8000)
#: What a server calls the owner of its models -> the name of the server.
OWNERS = {
    "library": "Ollama",
    "llamacpp": "llama.cpp",
    "organization_owner": "LM Studio",
    "vllm": "vLLM",
}
TIMEOUT = 1.0
"""Seconds for a server to answer."""
MAX_BYTES = 1_000_000
#: Names that mean the same in a shell and in make, without quotes.
_PLAIN = re.compile(r"[A-Za-z0-9][\w.:/@+-]*", re.ASCII)
#: Models that write no answers.
_NOT_CHAT = re.compile(r"embed|rerank|whisper", re.IGNORECASE)


def advice(ports: Iterable[int]) -> list[str]:
    """Return a line for each model server that answers on one of `ports`: how to use it."""
    with ThreadPoolExecutor() as pool:
        return [line for line in pool.map(_advice, ports) if line]


def _advice(port: int) -> str:
    for model in _models(port):
        name = model.get("id")
        if isinstance(name, str) and _PLAIN.fullmatch(name) and not _NOT_CHAT.search(name):
            server = OWNERS.get(str(model.get("owned_by")), "A model server")
            line = f"make run OPENAI_BASE_URL=http://127.0.0.1:{port}/v1 OPENAI_MODEL={name}"
            return f"{server} answers on this computer. To use it instead of the demo model: {line}"
    return ""


def _models(port: int) -> list[dict]:
    """Return what the server on `port` lists as its models, or an empty list."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/v1/models")
        answer = connection.getresponse()
        listed = json.loads(answer.read(MAX_BYTES))["data"] if answer.status == 200 else []
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, RecursionError):
        return []  # nothing listens there, or not a server of models
    finally:
        connection.close()
    return [model for model in listed if isinstance(model, dict)] if isinstance(listed, list) else []
