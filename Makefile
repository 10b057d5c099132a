# Lifeline. `make` alone explains the targets.
#
# Needs Go, make and git; no root, no environment variables, no C compiler.

GO ?= go
export GO
# Everything is built without C, so that the cache serves every target; only the
# race detector needs a C compiler, where there is one.
export CGO_ENABLED = 0

BIN       := bin
OUT       := out
LINT      := $(CURDIR)/$(BIN)/tools/golangci-lint
FLOWCHECK := $(CURDIR)/$(BIN)/tools/workflowcheck

MODULES := . local local/temporal tools
# Programs of ours: bin/NAME from the folder after the colon. They build in
# seconds and `go build` knows best whether they changed.
PROGRAMS := $(foreach name,worker starter local,$(if $(wildcard $(name)/*.go),$(BIN)/$(name)))

# The race detector needs a C compiler that works: macOS has a cc that only asks
# to install one.
CC_FOUND := $(shell $$($(GO) env CC) -include stdlib.h -x c -fsyntax-only /dev/null 2>/dev/null && echo yes)
RACE     := $(if $(CC_FOUND),-race)
RACE_ENV := $(if $(CC_FOUND),CGO_ENABLED=1)

TEST_FLAGS ?=

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

## The two commands

.PHONY: demo
demo: build ## Black out a Region, fail over, fail back; report in out/demo
	$(BIN)/local demo

.PHONY: test
test: format vet lint workflowcheck unit e2e ## Everything that CI checks, in this order

## For exploring

.PHONY: up
up: build ## Start Temporal, AWS, workers and clients, and leave them running
	$(BIN)/local up

.PHONY: build
build: $(BIN)/temporal-server $(PROGRAMS) $(BIN)/trigger.zip ## Build all programs into bin/ (first time: up to ten minutes)

.PHONY: bench
bench: build ## Run the benchmarks, setup of a thousand items among them; results in out/bench
	@mkdir -p $(OUT)/bench
	@for module in . local; do \
		name=$$(cd $$module && $(GO) list -m | tr / -); \
		echo "benchmarks of $$name"; \
		(cd $$module && $(GO) test -run '^$$' -bench . -benchmem ./...) >$(OUT)/bench/$$name.txt 2>&1 \
			|| { cat $(OUT)/bench/$$name.txt; exit 1; }; \
		grep -E '^(Benchmark|cpu:)' $(OUT)/bench/$$name.txt || echo "  none"; \
	done

.PHONY: clean
clean: ## Remove what was built and what runs left; Go's caches stay
	rm -rf $(BIN) $(OUT)

## The parts of test

.PHONY: format
format: $(LINT) ## Check the formatting (gofumpt, import order); make fix-format mends it
	$(LINT) fmt --diff

.PHONY: fix-format
fix-format: $(LINT) ## Mend the formatting
	$(LINT) fmt

.PHONY: vet
vet: ## go vet in every module
	@for module in $(MODULES); do \
		echo "go vet in $$module"; (cd $$module && $(GO) vet ./...) || exit 1; \
	done

.PHONY: lint
lint: $(LINT) ## golangci-lint in every module, and the proof that the import rules fire
	@for module in $(MODULES); do \
		echo "golangci-lint in $$module"; (cd $$module && $(LINT) run ./...) || exit 1; \
	done
	@# They read files that Go's test cache doesn't watch.
	cd tools && $(GO) test -count=1 $(TEST_FLAGS) ./...

.PHONY: workflowcheck
workflowcheck: $(FLOWCHECK) ## Temporal's check that workflow code is deterministic
	$(FLOWCHECK) -config tools/workflowcheck.yml ./workflows/...

.PHONY: unit
unit: ## Unit tests, with the race detector where a C compiler exists
	@$(if $(CC_FOUND),,echo 'No C compiler: these tests run WITHOUT the race detector.')
	$(RACE_ENV) $(GO) test $(RACE) -timeout 20m $(TEST_FLAGS) ./...
	cd local && $(RACE_ENV) $(GO) test $(RACE) -timeout 20m $(TEST_FLAGS) $$($(GO) list ./... | grep -v '/e2e\(/\|$$\)')
	@echo 'The embedded server is tested without the race detector: it would compile 1,800 packages again.'
	cd local/temporal && $(GO) test $(TEST_FLAGS) ./...

.PHONY: e2e
e2e: build ## End-to-end tests: real server, real processes, some of them killed
	$(if $(wildcard local/e2e/*.go local/e2e/*/*.go),cd local && $(GO) test -count=1 -timeout 30m $(TEST_FLAGS) ./e2e/...,@echo 'no end-to-end tests')

## Programs

# A thousand and more packages: its own step, and only when its sources changed.
SERVER_SOURCES := $(filter-out %_test.go,$(wildcard local/temporal/*.go)) local/temporal/go.mod local/temporal/go.sum

$(BIN)/temporal-server: $(SERVER_SOURCES)
	@echo 'Building the Temporal server: minutes the first time, seconds ever after.'
	@cd local/temporal && sh ../../tools/build.sh $(CURDIR)/$@ . 1780

.PHONY: $(BIN)/worker $(BIN)/starter $(BIN)/local
$(BIN)/worker $(BIN)/starter:
	$(GO) build -buildvcs=false -ldflags='-s -w' -o $@ ./$(notdir $@)

$(BIN)/local:
	cd local && $(GO) build -buildvcs=false -ldflags='-s -w' -o $(CURDIR)/$@ .

.PHONY: trigger
trigger: $(BIN)/trigger.zip ## Package the Lambda function that alarms fire, as setup deploys it

# For Lambda, on the architecture of this machine: the local world runs it too. The
# same sources give the same bytes, wherever they lie, so that setup deploys only
# what has changed.
.PHONY: $(BIN)/trigger.zip
$(BIN)/trigger.zip:
	GOOS=linux GOARCH=$$($(GO) env GOHOSTARCH) $(GO) build -trimpath -tags lambda.norpc -buildvcs=false -ldflags='-s -w -buildid=' -o $(BIN)/trigger ./trigger
	cd tools && $(GO) run ./pack $(CURDIR)/$@ $(CURDIR)/$(BIN)/trigger

.PHONY: tools
tools: $(LINT) $(FLOWCHECK) ## Build the pinned linters into bin/tools

$(LINT): tools/go.mod tools/go.sum
	@echo 'Building golangci-lint: minutes the first time, seconds ever after.'
	@cd tools && sh build.sh $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint 1250

$(FLOWCHECK): tools/go.mod tools/go.sum
	@cd tools && sh build.sh $@ go.temporal.io/sdk/contrib/tools/workflowcheck

.PHONY: help
help: ## This list
	@echo 'Lifeline: disaster recovery for AWS applications as Temporal workflows.'
	@awk '/^## /       { printf "\n%s\n", substr($$0, 4) } \
	      /^[a-z0-9-]+:.*## / { split($$0, part, ":.*## "); printf "  make %-14s %s\n", part[1], part[2] }' $(firstword $(MAKEFILE_LIST))
