# NGC Workbench. `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

WORKBENCH := .venv/bin/ngc-workbench

.PHONY: help setup demo up down test test-quick lint pictures bench attacks lock setup-quick setup-test

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: ## All that the workbench needs on this machine; quick when it is there already
	@hub/setup/system.sh
	@hub/setup/docker.sh
	@hub/setup/python.sh
	@hub/setup/node.sh
	@hub/setup/images.sh

demo: setup ## Set up, start, and play the main job (VCF=file PHENO=file for your own data)
	@$(WORKBENCH) demo $(if $(VCF),--vcf "$(VCF)") $(if $(PHENO),--pheno "$(PHENO)")

up: setup ## Set up and start, without playing
	@$(WORKBENCH) up

down: ## Stop all of it; data stays in var/
	@if [ -x $(WORKBENCH) ]; then $(WORKBENCH) down; else echo "Nothing is set up here, so nothing runs."; fi

setup-quick:
	@hub/setup/system.sh
	@hub/setup/python.sh dev

setup-test: setup-quick setup
	@hub/setup/browser.sh

test: setup-test ## All tests, set-up included: real containers, kernels and browser
	@.venv/bin/python -m pytest $(ARGS)

attacks: setup-test ## What a hostile session tries, on a plain hub and here
	@.venv/bin/python -m pytest -q tests/attacks $(ARGS)

test-quick: setup-quick ## The tests that need no Docker and no browser
	@.venv/bin/python -m pytest -n 2 -m "not docker and not browser and not journey" $(ARGS)

lint: setup-quick ## Style, types, the order of rooms, no registry hosts
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	hub/setup/check-hosts.sh

pictures: setup-test ## The docs' pictures, made from a running system
	@mkdir -p build/pictures
	@NGC_PICTURES=build/pictures .venv/bin/python -m pytest -q tests/journeys/test_browser.py
	@cp build/pictures/session.png docs/pictures/

bench: setup-test ## Measures, as a table and JSON (ONLY=room for a part)
	@.venv/bin/python -m tests.benchmarks $(if $(ONLY),--only "$(ONLY)")

# Linux alone; uv stands in the environment, so the first lock of a new machine needs `make setup-quick`.
UV := .venv/bin/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

lock: setup-quick ## Pin all requirements anew, with hashes
	$(UV) --universal --python-version 3.11 requirements/control.in -o requirements/control.txt
	$(UV) --universal --python-version 3.11 requirements/dev.in -o requirements/dev.txt
	$(UV) --python-platform x86_64-manylinux_2_28 --python-version 3.11 images/researcher/requirements.in -o images/researcher/requirements.txt
	cd hub/node && PATH="$(CURDIR)/.venv/bin:$$PATH" npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund
	hub/setup/check-hosts.sh
