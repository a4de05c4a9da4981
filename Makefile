# Every target does its own set-up and is quick when repeated.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: help serve test check eval gate ablation bench openapi clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

# A stamp beside the environment: made again only when the dependencies change.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

serve: $(READY) ## index the shipped documents and serve chat and API at http://127.0.0.1:8000
	$(BIN)/rag serve

test: $(READY) ## every test
	$(BIN)/python -m pytest

check: $(READY) ## formatting, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Written again by each run; nothing in it is committed.
REPORTS := reports
WRITE_REPORTS = --json $(REPORTS)/report.json --html $(REPORTS)/report.html \
	--junit $(REPORTS)/junit.xml --markdown $(REPORTS)/report.md

eval: $(READY) ## the gold set over the shipped documents; reports in reports/
	@mkdir -p $(REPORTS)
	$(BIN)/rag eval $(WRITE_REPORTS)

gate: $(READY) ## the same, and fail when a threshold of eval/thresholds.toml falls short
	@mkdir -p $(REPORTS)
	$(BIN)/rag eval --gate $(WRITE_REPORTS)

DATA ?= ../shared/data
ablation: $(READY) ## retrieval and answer sentences on the public data in DATA, every leg switched off in turn
	$(BIN)/python -m eval.ablation $(DATA)/xquad-dev

bench: $(READY) ## speed, size and start on the passages in DATA, as ratios; report in reports/; goes on where it was stopped
	@mkdir -p $(REPORTS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m eval.bench $(DATA)/xquad-dev --work $(REPORTS)/bench \
		--json $(REPORTS)/bench.json --markdown $(REPORTS)/bench.md

openapi: $(READY) ## write docs/openapi.json, the HTTP API in OpenAPI
	$(BIN)/python -m rag.api.openapi docs/openapi.json

clean: ## remove the environment and the caches; the index in data/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
