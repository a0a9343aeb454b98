# Baton. `make demo` plays the use case, `make test` runs the tests; docs/operations.md has the rest.

.DEFAULT_GOAL := help
SHELL := /bin/sh
.SUFFIXES:

# The first Python that is new enough; `make PYTHON=/path/to/python` overrides.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	&& { echo $$p; break; }; done)
BIN := .venv/bin
# Every start would compile everything again.
unexport PYTHONDONTWRITEBYTECODE
COMPILE := uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --universal \
	--python-version 3.11
# Behind a company's own certificate uv's built-in roots do not do: then the system's are tried.
INSTALL := $(BIN)/uv pip install --python $(BIN)/python --quiet --require-hashes --no-deps \
	--compile-bytecode
ASK := $(BIN)/uv pip install --python .venv/references/bin/python --quiet --require-hashes --no-deps
OURS := manage.py personas pipelines portal
# Translations as Django loads them, made from the texts in locale/ (docs/translation.md).
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/*.po))
# Each process of the tests has a database, a Redis database and folders of its own. There is one more
# of them than processors, four at most: a fifth of the time they wait for others.
PARALLEL ?= -n $(shell n=$$(nproc 2>/dev/null || echo 2); n=$$((n + 1)); [ $$n -gt 4 ] && n=4; echo $$n) --dist worksteal

.PHONY: help demo up down test references chaos screenshots lint format migrations translations lock install install-dev

help: ## Say what can be made.
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name what; do \
		printf '  make %-12s %s\n' "$$name" "$$what"; done

demo: .venv/app.stamp $(CATALOGUES) ## Play the use case as the seven people, then serve (ARGS=--exit stops after).
	@exec $(BIN)/python manage.py demo $(ARGS)

up: .venv/app.stamp $(CATALOGUES) ## Serve until Ctrl-C.
	@exec $(BIN)/python manage.py up $(ARGS)

down: .venv/app.stamp ## Stop what serves, and the embedded servers.
	@exec $(BIN)/python manage.py down

test: .venv/dev.stamp $(CATALOGUES) ## Run the tests (ARGS go to pytest; PARALLEL= runs them in one process).
	@exec $(BIN)/python -m pytest $(PARALLEL) $(ARGS)

references: .venv/references/stamp ## Ask evidently again for the figures that tests/references keeps.
	@.venv/references/bin/python -W ignore -m tests.references.evidently_figures --check

chaos: .venv/dev.stamp ## Kill everything at random under load, then prove that nothing suffered (MINUTES=30).
	@MINUTES=$${MINUTES:-30} exec $(BIN)/python -m benchmarks.chaos

screenshots: .venv/dev.stamp ## Picture every page of the Baton that serves at URL= into var/screenshots.
	@exec $(BIN)/python -m tests.browser.gallery

lint: .venv/dev.stamp ## Check style, types and the direction of dependencies.
	@failed=""; for check in "ruff check ." "ruff format --check ." "lint-imports --no-logo" mypy; do \
		echo "$$check"; $(BIN)/$$check || failed="$$failed [$$check]"; done; \
	test -z "$$failed" || { echo "lint: failed:$$failed" >&2; exit 1; }

format: .venv/dev.stamp ## Put the code into its one form.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

migrations: .venv/dev.stamp ## Fail when a model has changed without a migration.
	$(BIN)/python manage.py makemigrations --check --dry-run

translations: .venv/app.stamp ## Bring locale/ up to the texts in the sources; say what lacks a translation.
	@exec $(BIN)/python manage.py translations extract

locale/%.mo: locale/%.po .venv/app.stamp
	@$(BIN)/python manage.py translations compile

lock: .venv/tools.stamp ## Pin the packages again (versions and hashes, no addresses).
	for set in tools app dev references; do \
		$(BIN)/$(COMPILE) $(ARGS) requirements/$$set.in -o requirements/$$set.txt || exit 1; done

install: .venv/app.stamp ## Make .venv with what Baton runs on.

install-dev: .venv/dev.stamp ## Make .venv with what tests and linters need, too.

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Baton needs Python 3.11 or newer; found $$(python3 --version 2>&1)." \
		"Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test "$$(uname -s)" = Linux || { echo "Baton runs on Linux with glibc, not on $$(uname -s)." \
		"Use the Dockerfile there." >&2; exit 1; }
	@echo "Making .venv with $(PYTHON) ..."
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "Python cannot make a virtual environment:" \
		"on Debian and Ubuntu install python3-venv." >&2; exit 1; }

.venv/tools.stamp: requirements/tools.txt | .venv/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
		--require-hashes -r requirements/tools.txt
	@touch $@

.venv/app.stamp: requirements/app.txt .venv/tools.stamp
	@echo "Installing the packages Baton runs on (about a minute, once) ..."
	@$(INSTALL) -r requirements/app.txt 2>/dev/null || $(INSTALL) --system-certs -r requirements/app.txt
	@$(BIN)/python -m compileall -q $(OURS)
	@touch $@

.venv/dev.stamp: requirements/dev.txt .venv/app.stamp
	@echo "Installing what the tests need ..."
	@$(INSTALL) -r requirements/dev.txt 2>/dev/null || $(INSTALL) --system-certs -r requirements/dev.txt
	@touch $@

# Some 80 packages and 740 MB for one module: in a folder of their own, and only for who asks.
.venv/references/stamp: requirements/references.txt .venv/tools.stamp
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv/references
	@$(ASK) -r requirements/references.txt 2>/dev/null || $(ASK) --system-certs -r requirements/references.txt
	@touch $@
