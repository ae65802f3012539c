.DEFAULT_GOAL := help
.PHONY: help setup start once test lint build doctor images cluster-up cluster-down cluster-status cluster-load chaos clean distclean

caricature := node scripts/caricature.mjs

help: ## list these targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-14s %s\n", $$1, $$2 }'

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

images: ## build the images by buildah, without Docker (root; one: make images T=worker)
	@node scripts/images/images.mjs $(T)

cluster-up: ## start a Kubernetes of one node on this machine, for tests (root)
	@node test/cluster/cluster.mjs up

cluster-down: ## stop it and remove what it stored
	@node test/cluster/cluster.mjs down

cluster-status: ## its node and pods, and the KUBECONFIG to use it by
	@node test/cluster/cluster.mjs status

cluster-load: ## build the images, and make them known to the cluster
	@node test/cluster/images.mjs

chaos: ## interrupt runs on this machine's cluster at random (make chaos RUNS=5 INTERRUPTIONS=50 SEED=7)
	@CHAOS_RUNS=$(or $(RUNS),2) CHAOS_INTERRUPTIONS=$(or $(INTERRUPTIONS),6) $(if $(SEED),CHAOS_SEED=$(SEED)) $(caricature) test --project chaos

clean: ## remove what was built
	rm -rf dist coverage .setup libs/database/src/generated

distclean: clean ## remove the dependencies too; the data of runs (.caricature) stay
	rm -rf node_modules
