# Python 3.11 or newer is all that has to be there; another one than python3: make run PYTHON=python3.12
PYTHON ?= python3
BOOTSTRAP := $(PYTHON) deploy/local/bootstrap.py
VENV := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test test-all test-e2e lint format bench lock valkey model ear environment

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start everything, at http://127.0.0.1:8000 (PORT and HOST change that)
	@exec $(BOOTSTRAP) run

test: environment ## the tests a change should pass, in about five minutes
	@$(VENV)/python -m pytest

test-all: environment ## the slow ones, too: crashes, restarts, `make run` itself
	@$(VENV)/python -m pytest -m "not e2e"
	@if command -v redis-server >/dev/null; then \
	  echo "once more, on $$(redis-server --version)"; \
	  TEST_REDIS_SERVER=$$(command -v redis-server) $(VENV)/python -m pytest -m "not e2e" -k "not make_run"; \
	else echo "redis-server is not installed: not tried on Redis itself"; fi

test-e2e: environment ## the ones that drive a real browser (Chromium has to be installed)
	@$(VENV)/python -m pytest -n 0 -m e2e

lint: environment ## format, lint, types, Django's checks, missing migrations
	@$(VENV)/ruff format --check .
	@$(VENV)/ruff check .
	@$(VENV)/mypy
	@$(VENV)/lint-imports
	@$(VENV)/python manage.py check
	@$(VENV)/python manage.py makemigrations --check --dry-run

format: environment ## bring the code into shape
	@$(VENV)/ruff format .
	@$(VENV)/ruff check --fix .

bench: environment ## measure the figures of the README again
	@$(VENV)/python -m bench

lock: environment ## pin anew what the requirement files lead to (deploy/constraints.txt)
	@$(BOOTSTRAP) lock

valkey: ## start only the embedded Redis, for pieces run by hand
	@exec $(BOOTSTRAP) run valkey

model: ## start only the demo model, for pieces run by hand
	@exec $(BOOTSTRAP) run model

ear: ## start only the demo ear, for pieces run by hand
	@exec $(BOOTSTRAP) run ear

environment:
	@$(BOOTSTRAP) install test
