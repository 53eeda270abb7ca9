#!/bin/sh
# What can be known of the templates without an account: they are valid, and the
# functions build to what Lambda runs.
set -eu
cd "$(dirname "$0")/../../.."
bin=infra/aws/sam/.venv/bin
export SAM_CLI_TELEMETRY=0

$bin/cfn-lint --regions eu-central-1 us-east-1 ap-southeast-2 -- template.yaml infra/host.yaml
$bin/sam validate --lint

$bin/sam build
check() { # the function's name, and what its program has less than in bytes
	built=.aws-sam/build/$1/bootstrap
	size=$(wc -c <"$built")
	[ "$size" -lt "$2" ] || {
		echo "test.sh: $1 has $size bytes; every cold start loads them" >&2
		exit 1
	}
	# ELF's machine number 183 is arm64.
	[ "$(od -An -tu2 -j18 -N2 "$built" | tr -d ' ')" = 183 ] || {
		echo "test.sh: $1 is not for arm64" >&2
		exit 1
	}
	echo "$1: $size bytes"
}
check Ingest 10100000
check Dashboard 25000000
