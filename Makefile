# `make help` lists what there is. Everything runs in .venv, which the first target that needs it makes.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
PARALLEL := --numprocesses=auto --maxprocesses=4
UV := $(shell command -v uv 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help install demo test test-all check format cov docs pages cassettes record screenshots bench constraints clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

install: $(STAMP) ## make .venv with the pinned packages (uv is used where it is installed)

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON). On Debian: sudo apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed, $(PYTHON) is $$($(PYTHON) --version). Name another: make PYTHON=python3.12 install"; exit 1; }
ifeq ($(UV),)
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv is missing. On Debian: sudo apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
else
	$(UV) venv --quiet --seed --allow-existing --python $(PYTHON) .venv
	$(UV) pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
endif
	@touch $(STAMP)

demo: $(STAMP) ## replay the recorded demo: no key, no network; ends with the facts, what was repaired and what was quarantined
	@rm -rf demo-run
	$(BIN)/extractor run examples/articles --replay cassettes/demo --out demo-run
	$(BIN)/extractor show demo-run
	$(BIN)/extractor show demo-run --verdict quarantined
	$(BIN)/extractor status demo-run
	$(BIN)/extractor review demo-run --output demo-run/review.html

test: $(STAMP) ## the fast tests: offline, under three minutes on two cores
	$(BIN)/python -m pytest -q $(PARALLEL)

test-all: $(STAMP) ## all tests but the live ones
	$(BIN)/python -m pytest -q $(PARALLEL) -m 'not live'

check: $(STAMP) ## format, lint, types, and which room may import which
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy examples
	$(BIN)/lint-imports

format: $(STAMP) ## put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

cov: $(STAMP) ## branch coverage, as a lamp
	$(BIN)/python -m pytest -q --cov --cov-report=term-missing:skip-covered

docs: $(STAMP) ## build the documentation into site/; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html"

pages: $(STAMP) ## write the generated pages of the documentation anew
	for script in $(filter-out %_screenshots.py,$(wildcard docs/generate_*.py)); do $(BIN)/python $$script; done

cassettes: $(STAMP) ## record the demos' cassettes anew from the reference answers in examples/
	$(BIN)/python examples/record_demo.py

record: $(STAMP) ## record the demo's articles against your endpoint (OPENAI_API_KEY or EXTRACTOR_BASE_URL), into cassettes/live
	$(BIN)/extractor run examples/articles --record cassettes/live --out live-run

screenshots: $(STAMP) ## make the pictures and the excerpts of output in the docs anew (the pictures need chromium and chromium-driver)
	$(BIN)/python docs/generate_excerpts.py
	$(BIN)/python docs/generate_screenshots.py

bench: $(STAMP) ## measure beside the peers and write docs/performance.md: about an hour; QUICK=1 takes minutes and writes nothing
	$(BIN)/python bench/report.py $(if $(QUICK),--quick)

constraints: $(STAMP) ## compile constraints.txt anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-annotate --no-header --no-emit-index-url --no-emit-find-links pyproject.toml --output-file constraints.txt

clean: ## remove what the targets above made
	rm -rf .venv build dist *.egg-info demo-run live-run .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov site
