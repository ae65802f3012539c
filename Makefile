.DEFAULT_GOAL := help
.PHONY: help setup start once test lint build doctor clean distclean

caricature := node scripts/caricature.mjs

help: ## list these targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-10s %s\n", $$1, $$2 }'

setup: ## install what is missing and build
	@$(caricature) setup

start: ## run the demonstration and keep serving the model
	@$(caricature) start

once: ## run the demonstration and end with its result
	@$(caricature) start --once

test: ## rules, types and tests (one spec: make test T=libs/tensors)
	@$(caricature) test $(T)

lint: ## the rules on who may import whom, and the types
	@$(caricature) lint

build: setup ## compile the sources to dist, if they changed

doctor: ## say what this machine lacks, and the mend
	@$(caricature) doctor

clean: ## remove what was built
	rm -rf dist coverage .setup libs/database/src/generated

distclean: clean ## remove the dependencies too; the data of runs (.caricature) stay
	rm -rf node_modules
