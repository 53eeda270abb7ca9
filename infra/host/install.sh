#!/bin/bash
# Makes an Amazon Linux 2023 instance the digester's host: run as root from the
# unpacked release, after /etc/sundew/host.env and sundew.env were written. It can
# run again.
set -euo pipefail
cd "$(dirname "$0")"
. /etc/sundew/host.env # LOG_GROUP NAMESPACE

# A number of its own: the files on the volume belong to it on every host to come.
getent group sundew >/dev/null || groupadd --gid 7830 sundew
getent passwd sundew >/dev/null ||
	useradd --uid 7830 --gid 7830 --home-dir /var/lib/sundew --no-create-home --shell /sbin/nologin sundew
install -m 0755 sundew /usr/local/bin/sundew
install -D -m 0755 -t /usr/local/lib/sundew volume.sh health.sh
install -m 0644 -t /etc/systemd/system sundew.service sundew-volume.service sundew-health.service sundew-health.timer
install -D -m 0644 sundew-on-volume.conf /etc/systemd/system/sundew.service.d/volume.conf
install -D -m 0644 logrotate.conf /etc/logrotate.d/sundew
mkdir -p /var/log/sundew

systemctl daemon-reload
systemctl enable sundew.service sundew-volume.service sundew-health.timer
systemctl start sundew-volume.service
systemctl restart sundew.service
systemctl start sundew-health.timer
# After the digester, which must run where the agent cannot be had. The agent wants
# the mount to be there.
if dnf install -y -q amazon-cloudwatch-agent; then
	readonly agent=/opt/aws/amazon-cloudwatch-agent
	sed -e "s|@LOG_GROUP@|$LOG_GROUP|" -e "s|@NAMESPACE@|$NAMESPACE|" agent.json >$agent/etc/sundew.json
	$agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c "file:$agent/etc/sundew.json"
else
	echo "install.sh: no CloudWatch agent: the log stays on this host, and nobody watches the disk" >&2
fi
