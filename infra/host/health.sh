#!/bin/bash
# Asks the digester whether it lives, once a minute. After 3 failures it is started
# again, after 10 the auto-scaling group replaces the host. Whether it is *ready* is
# not asked: a full disk or an unreachable region is not cured by another host.
set -euo pipefail
. /etc/sundew/host.env # REGION
readonly failures=/run/sundew-health.failures

if curl -sf --max-time 10 -o /dev/null http://127.0.0.1:8000/health/live; then
	rm -f "$failures"
	exit 0
fi
count=$(($(cat "$failures" 2>/dev/null || echo 0) + 1))
echo "$count" >"$failures"
echo "no answer, $count in a row"
if [ "$count" -ge 10 ]; then
	token=$(curl -sfX PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
	instance=$(curl -sf -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/instance-id)
	aws autoscaling set-instance-health --region "$REGION" --instance-id "$instance" --health-status Unhealthy
elif [ $((count % 3)) = 0 ]; then
	systemctl --no-block restart sundew
fi
