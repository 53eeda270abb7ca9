#!/bin/sh
# Deploys the digester's host: `deploy.sh [SECTION of samconfig.toml]`. The release
# goes to the edge's bucket in the host's region, so deploy the edge there first.
# RELEASE_URL names another place, where the same file must already be.
set -eu
cd "$(dirname "$0")/../.."
section=${1:-host}
bin=infra/aws/sam/.venv/bin
export SAM_CLI_TELEMETRY=0

infra/aws/sam/setup.sh
infra/host/release.sh
sha=$(sha256sum bin/sundew-linux-arm64.tar.gz | cut -d' ' -f1)

if [ -z "${RELEASE_URL:-}" ]; then
	RELEASE_URL=$($bin/python - "$section" "$sha" <<'END'
import sys, tomllib
import boto3
import yaml

section, sha = sys.argv[1:]
with open("samconfig.toml", "rb") as f:
    region = tomllib.load(f)[section]["deploy"]["parameters"]["region"]
with open("infra/host/parameters.yaml") as f:
    edge = yaml.safe_load(f)["EdgeStack"]
account = boto3.client("sts", region_name=region).get_caller_identity()["Account"]
bucket, key = f"{edge}-{account}-{region}", f"releases/{sha}.tar.gz"
boto3.client("s3", region_name=region).upload_file("bin/sundew-linux-arm64.tar.gz", bucket, key)
print(f"s3://{bucket}/{key}")
END
)
fi

$bin/sam deploy --template-file infra/host.yaml --config-file "$PWD/samconfig.toml" --config-env "$section" \
	--parameter-overrides file://infra/host/parameters.yaml "ReleaseUrl=$RELEASE_URL" "ReleaseSha256=$sha"
