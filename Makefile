# Only Python 3.11 or newer is needed. To use another Python than python3: make run PYTHON=python3.12
PYTHON ?= python3
BOOTSTRAP := $(PYTHON) deploy/local/bootstrap.py
VENV := .venv/bin
# Biome checks JavaScript and CSS (biome.jsonc). Its Python package is for Linux on x86-64 only.
BIOME := if [ -x $(VENV)/biome ]; then $(VENV)/biome
NO_BIOME := echo "Biome is not installed: there is no package for this machine. JavaScript and CSS are not checked here; CI checks them."

.DEFAULT_GOAL := help
.PHONY: help run production test test-postgres test-all test-pythons test-djangos test-e2e pictures chaos lint format bench wheel lock audit docs valkey model speech environment

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start everything at http://127.0.0.1:8000 (PORT and HOST change the address)
	@exec $(BOOTSTRAP) run

production: ## try the production shape on this machine: nginx with TLS, PostgreSQL, two web processes, two clusters
	@$(BOOTSTRAP) install && exec $(VENV)/python -m deploy.production

test: environment ## run the tests that each change must pass, about seven minutes
	@$(VENV)/python -m pytest tests/queueing
	@$(VENV)/python -m pytest

test-postgres: environment ## run the same tests on PostgreSQL, with a server that is made for them
	@$(VENV)/python -m tests.support.on_postgres $(MAKE) --no-print-directory test

test-all: environment ## run the slow tests as well: crashes, restarts, `make run` itself
	@$(VENV)/python -m pytest -m "" tests/queueing
	@$(VENV)/python -m pytest -m "not e2e"
	@if command -v redis-server >/dev/null; then \
	  echo "the same tests with $$(redis-server --version)"; \
	  export TEST_REDIS_SERVER=$$(command -v redis-server); \
	  $(VENV)/python -m pytest -m "" tests/queueing && \
	  $(VENV)/python -m pytest -m "not e2e" -k "not make_run"; \
	else echo "redis-server is not installed: skipped the tests with Redis"; fi
	@if ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null; \
	then $(MAKE) --no-print-directory test-postgres; \
	else echo "PostgreSQL is not installed: skipped the tests on it (Debian and Ubuntu: apt-get install postgresql)"; fi
	@$(VENV)/python -m pytest -n 0 -m e2e tests/e2e/test_firefox.py
	@$(VENV)/python -m tests.chaos --seed 1

test-pythons: ## run the tests on each installed Python from 3.11 to 3.14 (TESTS=tests/queueing selects some)
	@.ci/pythons $(TESTS)

test-djangos: ## run the tests of the engine on Django 6.0 and 6.1 (TESTS=tests/queueing/tasks selects some)
	@.ci/djangos $(TESTS)

test-e2e: environment ## run the tests in a real browser (needs Chromium)
	@$(VENV)/python -m pytest -n 0 -m e2e

pictures: environment ## take pictures of every state of the site in var/pictures, and report what is cut or broken (ARGS="--only answered")
	@$(VENV)/python -m tests.e2e.pictures --out var/pictures $(ARGS)

chaos: environment ## break the whole system from a seed and check it from outside (ARGS="--seed 7 --minutes 5"; docs/reliability.md)
	@$(VENV)/python -m tests.chaos $(ARGS)

lint: environment ## check format, lint rules, types, imports, Lua, Django's checks, migrations
	@$(VENV)/ruff format --check .
	@$(VENV)/ruff check .
	@$(VENV)/mypy
	@$(VENV)/lint-imports
	@$(VENV)/python manage.py check
	@$(VENV)/python manage.py makemigrations --check --dry-run
	@if command -v luacheck >/dev/null; then luacheck -q chat queueing; \
	else echo "luacheck is not installed: skipped the Lua scripts (Debian and Ubuntu: apt-get install lua-check)"; fi
	@$(VENV)/djlint --quiet --lint templates queueing/templates
	@$(BIOME) check --error-on-warnings; else $(NO_BIOME); fi

format: environment ## format the code
	@$(VENV)/ruff format .
	@$(VENV)/ruff check --fix .
	@$(BIOME) check --write; else $(NO_BIOME); fi

bench: environment ## measure the figures in the README
	@$(VENV)/python -m bench

wheel: environment ## build the package of the engine, django-queueing, into dist/
	@$(VENV)/python -m deploy.engine.build

lock: ## write exact versions and hashes of all packages to deploy/locks/, for all Pythons
	@$(PYTHON) -m deploy.lock

audit: ## look up all locked packages in the public advisories
	@$(PYTHON) -m deploy.audit

docs: ## build the docs as a site in var/docs; a warning fails
	@$(PYTHON) -m deploy.docs

valkey: ## start only the embedded Redis
	@exec $(BOOTSTRAP) run valkey

model: ## start only the demo model
	@exec $(BOOTSTRAP) run model

speech: ## start only the demo speech-to-text server
	@exec $(BOOTSTRAP) run speech

environment:
	@$(BOOTSTRAP) install test
