PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export WANDB_SILENT ?= true
# as many processes as the machine has cores, and at most four: each imports torch and Lightning
PYTEST := $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist worksteal

.PHONY: help install demo test check promises audit test-all golden bench services profile constraints clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: wanted Python 3.11 or newer as PYTHON, got $(PYTHON)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

install: $(STAMP)  ## make .venv with this package and its exact dependencies

DEMO_SENTENCE := Return the width of a random tree.
# 16 bit is fast on a CPU that has instructions for it; on others 32 bit is several times faster
DEMO_PRECISION := $(shell grep -qwE 'avx512_bf16|amx_bf16|bf16' /proc/cpuinfo 2>/dev/null && echo bf16-mixed || echo 32-true)

demo: install  ## text, word vectors, autoencoder, compressor, bundle, report: about 14 minutes on 2 cores
	$(BIN)/rrnn prepare --config configs/prepare_demo.yaml
	OMP_NUM_THREADS=1 $(BIN)/rrnn fit --config configs/demo.yaml --trainer.precision $(DEMO_PRECISION)
	$(BIN)/rrnn test --run runs/latest
	OMP_NUM_THREADS=1 $(BIN)/rrnn fit --config configs/compressor_demo.yaml \
	  --data.autoencoder "runs/$$(readlink runs/latest)" --trainer.precision $(DEMO_PRECISION)
	$(BIN)/rrnn test --run runs/latest
	$(BIN)/rrnn export runs/latest --out runs/demo_bundle --name demo --overwrite
	$(BIN)/rrnn report runs/demo_bundle --data data/demo --out runs/demo_report
	echo "$(DEMO_SENTENCE)" | $(BIN)/rrnn encode runs/demo_bundle --out - | $(BIN)/rrnn compress runs/demo_bundle --out - \
	  | $(BIN)/rrnn decompress runs/demo_bundle --out - | $(BIN)/rrnn decode runs/demo_bundle

test: install  ## the tests: no network, no GPU
	$(PYTEST)

check: install  ## everything a change must pass: lint, format, types, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST)

promises: install  ## kill, fill, damage, lie: every promise with its figure, into PROMISES.md
	$(PYTEST) tests/faults -m "promise or fuzz" --promises PROMISES.md

audit: install  ## installed files against their digests; known vulnerabilities, which needs the network
	$(BIN)/python -m tests.audit
	[ -x .venv-audit/bin/pip-audit ] || { $(PYTHON) -m venv .venv-audit && .venv-audit/bin/python -m pip install --quiet pip-audit; }
	.venv-audit/bin/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip || \
	  { echo "audit: vulnerabilities found, or no network"; exit 1; }

test-all: install  ## also the slow tests and those that need data or a GPU
	$(BIN)/python -m pytest -m "slow or gpu or data or not slow" --timeout 600

golden: install  ## rewrite tests/golden from what the code computes now
	$(BIN)/python -m tests.write_golden

bench: install  ## every part beside its peers, tables, runs/bench/*.json and *.png: an hour or more
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	mkdir -p runs/bench
	for case in match rnn step data memory codec; do $(BIN)/rrnn bench $$case --json runs/bench/$$case.json || exit; done
	for case in match rnn step; do $(BIN)/rrnn bench $$case --scale --out runs/bench || exit; done

services:  ## install what some tests need, where apt-get can: PostgreSQL's server, Chromium
	@bash tests/services.sh

profile: install  ## where the time of a training step goes; trace.json for a browser
	$(BIN)/python -m rrnn_lit.bench.profile

constraints: install  ## rewrite constraints.txt from .venv
	{ echo "# Exact versions for development and CI; pyproject.toml gives the ranges. Made by: make constraints"; \
	  $(BIN)/python -m pip freeze --exclude-editable | sed "s/+cpu$$//"; } > constraints.new
	mv constraints.new constraints.txt

clean:  ## remove .venv, that of the audit, and caches; data and runs stay
	rm -rf $(VENV) .venv-audit .mypy_cache .ruff_cache .pytest_cache
