# make help lists what there is. Every target installs what it needs.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X main.stamp=$(VERSION)

# Tools, by exact versions. go.sum doesn't hold them; the Go checksum database does.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
GOSEC := github.com/securego/gosec/v2/cmd/gosec@v2.30.0
GITLEAKS := github.com/zricethezav/gitleaks/v8@v8.30.1
SYFT := github.com/anchore/syft/cmd/syft@v1.44.0
COSIGN := github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3
KUBELOGIN := github.com/Azure/kubelogin@v0.2.10

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/crownsafe: static, version stamped
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/crownsafe ./cmd/crownsafe

.PHONY: test
test: format vet tests ## Everything: format, vet, unit, conformance, integration and end-to-end tests

.PHONY: format
format: ## Fail when a file is not formatted
	@unformatted=$$(gofmt -l client cmd deploy internal test); \
	if [ -n "$$unformatted" ]; then echo "not formatted (run gofmt -w):"; echo "$$unformatted"; exit 1; fi

.PHONY: vet
vet:
	go vet ./...
	go vet -tags browser ./test/browser
	go vet -tags pitr ./test/pitr

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
lint: format vet workflow ## Format, vet, staticcheck, golangci-lint, and actionlint on the pipeline
	go run $(STATICCHECK) ./...
	go run $(GOLANGCI) run

.PHONY: workflow
workflow: ## Check the pipeline's own description
	go run $(ACTIONLINT)
	go test -count=1 ./test/pipeline

.PHONY: security
security: vulnerabilities gosec secrets licences sbom ## Known vulnerabilities, insecure code, secrets, licences; the list of what is inside

.PHONY: vulnerabilities
vulnerabilities: ## Known vulnerabilities in what is called; in a pipeline (CI=true) their list has to be reached
	@if go run $(GOVULNCHECK) ./... ; then :; else \
		status=$$?; if [ $$status = 3 ] || [ "$${CI:-}" = true ]; then exit $$status; fi; \
		echo "govulncheck: the list of vulnerabilities could not be reached; not checked"; fi

# What it may find, and why, stands in .gosec-exceptions. Tests are left out.
.PHONY: gosec
gosec: ## Insecure code
	go run $(GOSEC) -quiet -exclude-generated -exclude-dir=test -exclude-dir=internal/testenv \
		-exclude-rules "$$(sed -E '/^#/d; s/ #.*//' .gosec-exceptions | paste -sd ';')" ./...

.PHONY: secrets
secrets: ## Secrets in any commit
	go run $(GITLEAKS) git --no-banner --redact --log-opts=HEAD --config .gitleaks.toml .

.PHONY: licences
licences: ## Licences of what is built in: only those that let it be used so
	go run ./test/licences ./cmd/crownsafe

.PHONY: sbom
sbom: build ## .build/sbom.cdx.json: what is inside bin/crownsafe (CycloneDX)
	@mkdir -p .build
	go run $(SYFT) scan --quiet file:bin/crownsafe -o cyclonedx-json=.build/sbom.cdx.json

# It brings its own database of vulnerabilities, and needs an account: SNYK_TOKEN.
.PHONY: snyk
snyk: ## Snyk on dependencies and code (needs its CLI and SNYK_TOKEN)
	snyk test --severity-threshold=high
	snyk code test --severity-threshold=high

# The two halves of `tests`, each leaving what it covered of internal/. A package
# whose tests ask for a real server, or run the program, is integration.
PACKAGES := go list -f '{{.ImportPath}} {{join .TestImports ","}} {{join .XTestImports ","}}' ./...
SERVERS := internal/testenv|test/program
COVER := -count=1 -race -shuffle=on -timeout 40m -covermode=atomic -coverpkg=./internal/...
COVERED := $(CURDIR)/.build/coverage

.PHONY: unit
unit: compiler ## Unit tests: packages whose tests ask for no server; leaves .build/coverage/unit
	rm -rf '$(COVERED)/unit' && mkdir -p '$(COVERED)/unit'
	packages=$$($(PACKAGES) | awk '!/$(subst /,\/,$(SERVERS))/ {print $$1}'); \
	CGO_ENABLED=1 go test $(COVER) $$packages -args -test.gocoverdir='$(COVERED)/unit'

# The program that tests run is built to leave what it covered too.
.PHONY: integration
integration: compiler ## Tests on real servers and of the real binary; leaves .build/coverage/integration
	rm -rf '$(COVERED)/integration' && mkdir -p '$(COVERED)/integration'
	packages=$$($(PACKAGES) | awk '/$(subst /,\/,$(SERVERS))/ {print $$1}'); \
	CGO_ENABLED=1 CROWNSAFE_TEST_COVERAGE='$(COVERED)/integration' \
		go run ./test/servers go test $(COVER) $$packages -args -test.gocoverdir='$(COVERED)/integration'

.PHONY: cover
cover: ## Coverage of internal/ by both together, 80 % at least; runs the half that is missing
	@[ -d '$(COVERED)/unit' ] || $(MAKE) unit
	@[ -d '$(COVERED)/integration' ] || $(MAKE) integration
	go run ./test/coverage -within github.com/crownsafe/api/internal/ -at-least 80 '$(COVERED)/unit' '$(COVERED)/integration'

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

.PHONY: performance
performance: ## Run the load tool with thresholds into REPORT (.build/loadtest.json): make performance BASE=FILE also fails when it is worse than that report
	go run ./test/load/bench -performance '$(abspath $(or $(REPORT),.build/loadtest.json))' -base '$(abspath $(BASE))'

.PHONY: soak
soak: ## Load everything for DURATION (default 10m) and see that memory and goroutines stay flat
	go run ./test/load/bench -soak '$(or $(DURATION),10m)'

.PHONY: restore-drill
restore-drill: ## Lose a store of 250,000 notices and 100,000 accounts and get it back: prints the RTO and the RPO (DRILL='-notices N -people N' for less)
	go run ./test/load/drill $(DRILL)

.PHONY: test-pitr
test-pitr: ## Lose a PostgreSQL and set it back to a moment with pgBackRest, which is installed where it is missing
	go test -count=1 -timeout 15m -tags pitr ./test/pitr

.PHONY: eval
eval: ## Measure how often answers are right on agencies' real files: make eval DATA=FOLDER (FAULTS=1 lists the wrong ones)
	go run ./test/eval -data '$(DATA)' $(if $(FAULTS),-faults)

# The tools are built once, which takes half an hour on two processors, and kept in the
# user's cache folder.
.PHONY: k8s
k8s: ## Check the manifests: kustomize, kubectl-validate, kube-score, and a real API server's dry run
	go run ./test/k8s
.PHONY: eval-data
eval-data: ## Fetch agencies' files into DATA from EVAL_ACCOUNT (Azure), container EVAL_CONTAINER
	mkdir -p '$(DATA)'
	az storage blob download-batch --auth-mode login --account-name '$(EVAL_ACCOUNT)' --source '$(EVAL_CONTAINER)' --destination '$(DATA)' --output none

# The images of deploy/docker/Dockerfile. REGISTRY is the host of a container registry.
IMAGES := crownsafe-api crownsafe-ops
DOCKERFILE := deploy/docker/Dockerfile
# The Dockerfile's target for an image.
target = $(patsubst crownsafe-ops,ops,$(1))

.PHONY: image
image: ## Build the images crownsafe-api and crownsafe-ops with Docker
	$(foreach i,$(IMAGES),docker buildx build -f $(DOCKERFILE) --target $(call target,$(i)) --build-arg VERSION='$(VERSION)' --tag $(i):$(VERSION) --load . &&) true

# Attestations are signed and attached afterwards, so that the image itself stays
# one manifest. The program in it is the same for the same commit; the times of its
# files, and Debian's packages in ops, are those of the day.
.PHONY: image-push
image-push: ## Build and push both to REGISTRY; leaves their references by digest in .build/image
	@mkdir -p .build/image
	@[ -n '$(REGISTRY)' ] || { echo "name the registry: make image-push REGISTRY=HOST"; exit 2; }
	$(foreach i,$(IMAGES),docker buildx build -f $(DOCKERFILE) --target $(call target,$(i)) --build-arg VERSION='$(VERSION)' \
		--tag '$(REGISTRY)/$(i):$(VERSION)' --push --provenance=false --metadata-file .build/image/$(i).json . && \
		echo "$(REGISTRY)/$(i)@$$(jq -er '."containerimage.digest"' .build/image/$(i).json)" >.build/image/$(i) &&) true

.PHONY: image-sign
image-sign: ## Sign what image-push pushed, and attach the list of what is inside
	$(foreach i,$(IMAGES),go run $(SYFT) scan --quiet registry:"$$(cat .build/image/$(i))" -o cyclonedx-json=.build/image/$(i).cdx.json && \
		go run $(COSIGN) sign --yes "$$(cat .build/image/$(i))" && \
		go run $(COSIGN) attest --yes --type cyclonedx --predicate .build/image/$(i).cdx.json "$$(cat .build/image/$(i))" &&) true

# Who may sign: this repository's pipeline, on the two branches that are deployed.
REPOSITORY ?= crownsafe/api
SIGNER := ^https://github.com/$(REPOSITORY)/.github/workflows/ci-cd-pipeline.yml@refs/heads/(main|staging)$$

.PHONY: image-verify
image-verify: ## Check the signatures and lists of API_IMAGE and OPS_IMAGE
	@[ -n '$(API_IMAGE)' ] && [ -n '$(OPS_IMAGE)' ] || { echo "name the images: API_IMAGE=…@sha256:… OPS_IMAGE=…@sha256:…"; exit 2; }
	$(foreach i,$(API_IMAGE) $(OPS_IMAGE),\
		go run $(COSIGN) verify --certificate-oidc-issuer https://token.actions.githubusercontent.com --certificate-identity-regexp '$(SIGNER)' '$(i)' >/dev/null && \
		go run $(COSIGN) verify-attestation --type cyclonedx --certificate-oidc-issuer https://token.actions.githubusercontent.com --certificate-identity-regexp '$(SIGNER)' '$(i)' >/dev/null &&) true

# kubectl finds the cluster by .build/kubeconfig, and kubelogin beside it.
deploy backup-today: export KUBECONFIG ?= $(CURDIR)/.build/kubeconfig
cluster deploy backup-today: export PATH := $(CURDIR)/.build/tools:$(PATH)

.PHONY: cluster
cluster: ## Find the way to CLUSTER in RESOURCE_GROUP (Azure), as whoever is signed in to az
	GOBIN='$(CURDIR)/.build/tools' go install $(KUBELOGIN)
	az aks get-credentials --resource-group '$(RESOURCE_GROUP)' --name '$(CLUSTER)' --file .build/kubeconfig --overwrite-existing
	kubelogin convert-kubeconfig --login azurecli --kubeconfig .build/kubeconfig

.PHONY: deploy
deploy: image-verify ## Release API_IMAGE and OPS_IMAGE to ENVIRONMENT, look at URL, go back when that fails; production is backed up first
	go run ./deploy/rollout release -overlay 'deploy/k8s/overlays/$(ENVIRONMENT)' $(if $(filter production,$(ENVIRONMENT)),-backup) \
		-image 'crownsafe-api=$(API_IMAGE)' -image 'crownsafe-ops=$(OPS_IMAGE)' -- go run ./test/smoke '$(URL)'

.PHONY: smoke
smoke: ## Ask a running service whether it keeps its contract: make smoke URL=https://…
	go run ./test/smoke '$(URL)'

.PHONY: backup-today
backup-today: ## See to it that today's backup is there and was verified
	go run ./deploy/rollout backup

# The first step of jobs that need settings of the repository.
.PHONY: require
require: ## Fail unless each variable named in SETTINGS is set
	@for name in $(SETTINGS); do [ -n "$${!name:-}" ] || { echo "$$name is not set: see docs/operations.md, The pipeline"; missing=1; }; done; [ -z "$${missing:-}" ]

.PHONY: docs
docs: ## Write the generated documents anew: examples, OpenAPI, API reference, settings, errors, schema
	go test -count=1 ./test/docs -run TestExamplesAre -update
	go test -count=1 ./internal/api -run 'TestOpenAPI|TestSchema' -update
	go test -count=1 ./internal/config -run TestSettingsAreDocumented -update
	go test -count=1 ./test/deploy -run TestPrometheusRule -update
	go run ./cmd/crownsafe docs --out docs

# python3 and node are needed besides curl and Go, which make test runs the samples with.
.PHONY: samples
samples: ## Run the API reference's code samples in all four languages
	go test -count=1 ./test/docs -run TestSamples -languages curl,Go,Python,JavaScript

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin .build
