# Everything that a person does with the tree. `make run` needs Go alone.

GO ?= go
BIN := bin/digester

.PHONY: run build test test-go test-chaos test-sdk fuzz bench bench-floor bench-big lint clean

run: build ## start the whole product on the embedded default
	./$(BIN) serve

build:
	CGO_ENABLED=0 $(GO) build -o $(BIN) ./digester

test: lint test-go test-chaos test-sdk ## everything, installing what it needs

test-go: ## the quick loop with the race detector
	$(GO) test -race ./...

test-chaos: ## kills, a full disk, and the order of writes and syncs, against the program
	infra/chaos/setup.sh
	$(GO) test -tags chaos -count=1 -v ./infra/chaos

test-sdk: build ## real SDKs and a real browser against the program
	infra/e2e/setup.sh
	$(GO) test -tags e2e -count=1 ./infra/e2e

FUZZTIME ?= 20s
fuzz: ## every fuzz target for FUZZTIME
	infra/fuzz.sh $(FUZZTIME)

bench: ## intake to database, over HTTP, on this machine
	$(GO) run ./infra/bench

bench-floor: ## the store against the same statements in C; FLOOR=-drivers compares drivers too
	$(GO) run ./infra/bench/floor $(FLOOR)

bench-big: ## five million events: does it stay as fast? Takes half an hour and 15 GB; BIG='-dir DIR' keeps it
	$(GO) run ./infra/bench/big $(BIG)

lint: ## gofmt, vet, staticcheck, govulncheck; versions pinned in go.mod
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || (echo "gofmt wants the files above"; exit 1)
	$(GO) vet ./...
	$(GO) vet -tags e2e ./infra/e2e
	$(GO) vet -tags chaos ./infra/chaos
	$(GO) tool staticcheck ./...
	infra/vuln.sh

clean:
	rm -rf bin infra/e2e/node_modules infra/e2e/.venv infra/e2e/output
