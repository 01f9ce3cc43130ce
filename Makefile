# Python 3.11 or newer, git and make are all these need: `make help` lists them.
# Where no `python3` is found, say which to use: `make lab BOOT=python3.12`.

BOOT     ?= python3
PY       := .venv/bin/python
LAB_ARGS ?=
ARGS     ?=
JOBS     ?= 2
WEB      := src/stepgraph/panels/web

# JupyterLab refuses to run as root unless told to.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: help lab test check bench notebooks browser panel lock

help:  ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 18

lab: .venv/.lab  ## open JupyterLab on notebooks/ (LAB_ARGS adds options, e.g. LAB_ARGS=--no-browser)
	@mkdir -p notebooks
	$(PY) -m jupyterlab --ServerApp.root_dir="$(CURDIR)/notebooks" $(AS_ROOT) $(LAB_ARGS)

test: .venv/.full programs  ## run every test, JOBS at a time; the summary says what was skipped and why (ARGS goes to pytest)
	$(PY) -m pytest -n $(JOBS) $(ARGS)

check: style types rules bundle  ## style, types, layers, public names, hygiene, and whether the front-end bundle is fresh

bench: .venv/.full  ## measure speed against LangGraph and print the ratios (ARGS chooses)
	$(PY) -m tests.benchmarks $(ARGS)

notebooks: .venv/.full  ## run the notebooks and write their outputs, without paths, times and ids
	$(PY) tools/notebooks.py $(ARGS)

browser: .venv/.full programs  ## only the tests that drive a real JupyterLab; screenshots go to artefacts/
	$(PY) -m pytest -m browser $(ARGS)

panel: .venv/.full  ## build the front-end bundle from its TypeScript
	$(PY) tools/frontend.py build

lock: .venv/.full  ## renew the locks after a change of pyproject.toml (UPGRADE=--upgrade takes the newest versions)
	UPGRADE=$(UPGRADE) tools/lock.sh
	$(PY) tools/frontend.py lock

.PHONY: style types rules bundle programs
style: .venv/.full
	$(PY) -m ruff check --output-format concise
	$(PY) -m ruff format --check

types: .venv/.full
	$(PY) -m mypy

rules: .venv/.full
	$(PY) -m pytest -q tests/test_layers.py tests/test_public_api.py tests/test_hygiene.py

bundle: .venv/.full
	$(PY) tools/frontend.py check

programs:
	@$(BOOT) tools/bootstrap.py programs

.venv/.lab: binder/requirements.txt pyproject.toml tools/uv.txt
	$(BOOT) tools/bootstrap.py lab
	@touch $@

# The full environment holds the smaller one.
.venv/.full: requirements.lock pyproject.toml tools/uv.txt
	$(BOOT) tools/bootstrap.py full
	@touch $@ .venv/.lab
