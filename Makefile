GOFUMPT_VERSION       := v0.12.0
GOLANGCI_LINT_VERSION := v2.15.0

GO       ?= go
GOBIN    := $(or $(shell $(GO) env GOBIN),$(shell $(GO) env GOPATH)/bin)
FUZZTIME ?= 30s

# Packages that start goroutines. The race detector is slow and finds nothing in the others.
CONCURRENT := ^github.com/inferdx/inferdx/(internal/(source/|otlpreceiver|replay)|notifiers/)

# SQLite in Go is forty times slower under the race detector, so these few tests of the outbox stand for all.
RACED := ^Test(Fault[0-9]+)?(MessagesArriveInOrder|KeysAreDelivered|AReceiverThatHangs|DrainWaits|APanicIs)

export PATH := $(GOBIN):$(PATH)

.PHONY: check format lint test rules build bench cost live soak fuzz tools

# Everything a change must pass.
check: format lint test rules

format:
	@unformatted=$$(gofumpt -l .) && test -z "$$unformatted" || { echo "run gofumpt -w on:" $$unformatted; exit 1; }

lint:
	$(GO) vet ./...
	golangci-lint run

test:
	@packages=$$($(GO) list ./...) || exit 1; \
	concurrent=$$(echo "$$packages" | grep -E '$(CONCURRENT)'); \
	rest=$$(echo "$$packages" | grep -vE '$(CONCURRENT)'); \
	test -z "$$concurrent" || $(GO) test -race $$concurrent && $(GO) test $$rest && \
	$(GO) test -race -run '$(RACED)' ./internal/outbox

rules:
	$(GO) run ./cmd/inferdx check rules
	$(GO) run ./cmd/inferdx test rules

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/inferdx ./cmd/inferdx

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

# What the whole service costs for 1,000 servers, scraped and diagnosed every 15 s: cores and memory. Seven minutes.
cost: COST_SECONDS ?= 330
cost:
	INFERDX_COST_SECONDS=$(COST_SECONDS) $(GO) test -run '^$$' -bench Service -benchtime 1x -timeout 90m ./internal/service

# A real vLLM on the CPU, loaded, diagnosed, cured and diagnosed again: docs/live.md. About four minutes.
live:
	$(GO) test -tags live -count=1 -v -timeout 20m ./test/live

# A service killed with SIGKILL over and over while it writes and delivers. Under a minute.
soak:
	INFERDX_SOAK_RUNS=200 $(GO) test -run KillNine -count=1 -v -timeout 30m ./internal/outbox

# Every fuzz test, FUZZTIME each. Minimising interesting inputs would eat most of it.
fuzz:
	@for package in $$($(GO) list ./...); do \
		for name in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$name"; \
			$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s $$package || exit 1; \
		done; \
	done

tools:
	$(GO) install mvdan.cc/gofumpt@$(GOFUMPT_VERSION)
	$(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
