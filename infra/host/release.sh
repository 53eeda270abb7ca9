#!/bin/sh
# Makes bin/sundew-linux-arm64.tar.gz: the program and what makes a machine its
# host. The same source makes the same bytes.
set -eu
cd "$(dirname "$0")/../.."
out=bin/sundew-release
rm -rf "$out"
mkdir -p "$out"
CGO_ENABLED=0 GOOS=linux GOARCH=arm64 ${GO:-go} build -trimpath -ldflags='-s -w' -o "$out/sundew" ./digester
cp infra/sundew.service "$out"
for f in infra/host/*; do
	case $f in
	*/release.sh | */deploy.sh | */parameters.yaml) ;;
	*) cp "$f" "$out" ;;
	esac
done
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u+rwX,go=rX -C bin -cf - sundew-release |
	gzip -9n >bin/sundew-linux-arm64.tar.gz
sha256sum bin/sundew-linux-arm64.tar.gz
