# make help lists what there is. Every target installs what it needs.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X main.stamp=$(VERSION)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/crownsafe: static, version stamped
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/crownsafe ./cmd/crownsafe

.PHONY: test
test: format vet tests ## Everything: format, vet, unit, conformance, integration and end-to-end tests

.PHONY: format
format: ## Fail when a file is not formatted
	@unformatted=$$(gofmt -l cmd internal test); \
	if [ -n "$$unformatted" ]; then echo "not formatted (run gofmt -w):"; echo "$$unformatted"; exit 1; fi

.PHONY: vet
vet:
	go vet ./...
	go vet -tags browser ./test/browser

# The servers that tests need are installed and started by test/servers, but for
# those that the variables of internal/testenv name already.
.PHONY: tests
tests: compiler
	CGO_ENABLED=1 go run ./test/servers go test -count=1 -race -shuffle=on -timeout 20m ./...

# The race detector needs a C compiler; the product itself is built without.
.PHONY: compiler
compiler:
	@command -v gcc >/dev/null || { \
		[ "$$(id -u)" = 0 ] || { echo "the race detector needs gcc: install it (apt-get install gcc libc6-dev)"; exit 1; }; \
		apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev; }

.PHONY: lint
lint: format vet ## Format, vet, staticcheck, and known vulnerabilities where their list can be reached
	go run $(STATICCHECK) ./...
	@if go run $(GOVULNCHECK) ./... ; then :; else \
		status=$$?; if [ $$status = 3 ]; then exit 3; fi; echo "govulncheck: the list of vulnerabilities could not be reached; not checked"; fi

# Chromium and the servers that the tests need are installed where they are missing.
.PHONY: browser
browser: ## Drive the pages in Chromium, and leave screenshots in .build/screenshots
	CROWNSAFE_SCREENSHOTS='$(CURDIR)/.build/screenshots' go test -count=1 -timeout 15m -tags browser ./test/browser

.PHONY: fuzz
fuzz: ## Fuzz every parser for FUZZTIME each (default 20s)
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $${FUZZTIME:-20s} $$package; done; done

.PHONY: bench
bench: ## Print the table of docs/performance.md: make bench DATA=FOLDER multiplies agencies' own notices
	go test -run '^$$' -bench '^Benchmark(Scrape|Signature|Authenticate)$$' ./internal/telemetry ./internal/auth
	go run ./test/load/bench -real '$(DATA)'

.PHONY: eval
eval: ## Measure how often answers are right on agencies' real files: make eval DATA=FOLDER (FAULTS=1 lists the wrong ones)
	go run ./test/eval -data '$(DATA)' $(if $(FAULTS),-faults)

# The tools are built once, which takes half an hour on two processors, and kept in the
# user's cache folder.
.PHONY: k8s
k8s: ## Check the manifests: kustomize, kubectl-validate, kube-score, and a real API server's dry run
	go run ./test/k8s

.PHONY: docs
docs: ## Write the generated documents anew
	go test ./internal/api -run 'TestOpenAPI|TestSchema' -update
	go test ./test/deploy -run TestPrometheusRule -update

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin .build
