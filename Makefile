# SPDX-License-Identifier: EUPL-1.2
# One command each. Needs nothing but make and Python 3.11 or newer, with venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
INSTALLED := $(VENV)/.installed
TESTABLE := $(VENV)/.installed-for-tests

.DEFAULT_GOAL := help
.PHONY: help install demo test check format bench prove live screenshots looks lighthouse wheel clean

help: ## Show this help
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

# Remade only when pyproject.toml changed. The Python version is asked first: pip's own answer to
# that is a page long. The demo installs what the hub needs, the tests what they need as well.
$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "This needs Python 3.11 or newer; say which with PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Making $(VENV)…" >&2; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the hub into $(VENV) (a minute or two, once)…" >&2
	@$(PIP) install --editable .
	@touch $@

$(TESTABLE): $(INSTALLED)
	@echo "Installing what the tests need…" >&2
	@$(PIP) install --editable '.[test,bench]'
	@touch $@

install: $(TESTABLE) ## Make .venv and install everything into it

demo: $(INSTALLED) ## A made-up town in a sandbox, on this machine alone (ARGS="--port 8081")
	@$(BIN)/hub demo $(ARGS)

# Four at a time, whatever the cores: the journeys wait more than they work. The rooms that start
# processes and browsers are not traced: it would take half as long again, and they prove promises,
# not lines.
PARALLEL := --numprocesses 4 --dist loadfile --no-loadscope-reorder
UNTRACED := tests/journeys tests/browser tests/mutants tests/simulator
test: $(TESTABLE) ## All the tests, with branch coverage (ARGS="tests/house -k clock")
ifneq ($(ARGS),)
	@$(BIN)/python -m pytest $(ARGS)
else
	@failed=0; \
	$(BIN)/python -m pytest $(PARALLEL) $(UNTRACED) || failed=1; \
	$(BIN)/python -m pytest $(PARALLEL) $(UNTRACED:%=--ignore=%) --cov --cov-report=term || failed=1; \
	exit $$failed
endif

check: $(TESTABLE) ## Format, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(TESTABLE) ## Put the code in the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(TESTABLE) ## Measure this machine (ARGS passed on)
	@for each in bench/*_bench.py; do echo "== $$each"; \
	  $(BIN)/python -m bench.$$(basename $$each .py) $(ARGS) || exit 1; done

prove: $(TESTABLE) ## Kill the daemon 100 times, stop it 20; nobody lost or pestered (ARGS=--quick)
	@$(BIN)/python -m bench.prove $(ARGS)

live: $(TESTABLE) ## Two tabs on a send to 20,000 while its hub is killed; needs Chromium (ARGS=people)
	@$(BIN)/python -m bench.live_send $(ARGS)

screenshots: $(TESTABLE) ## The main pages of portal and console as pictures (ARGS=folder)
	@$(BIN)/python -m bench.screenshots $(ARGS)

looks: $(TESTABLE) ## axe on every page and state, in each language, colour and width (some minutes)
	@EVERY_LOOK=1 $(BIN)/python -m pytest tests/browser/test_every_page.py \
	  tests/browser/test_office_pages.py tests/browser/test_office_rooms.py tests/browser/test_office_sends.py -k "accessible or tab" $(ARGS)

lighthouse: $(TESTABLE) ## Lighthouse on portal and console, as JSON; needs npx (ARGS=times)
	@$(BIN)/python -m bench.lighthouse $(ARGS)

wheel: $(INSTALLED) ## Build the wheel into dist/
	@$(PIP) wheel --no-deps --wheel-dir dist .

clean: ## Remove .venv, caches and what was built (never the data folder)
	rm -rf $(VENV) build dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
