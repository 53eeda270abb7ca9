#!/bin/bash
# Attaches the data volume to this instance and mounts it. The instance before may
# still be shutting down with the volume attached, so it asks again until it gets it:
# a volume has one host at a time, which is what keeps two digesters off one database.
set -euo pipefail
. /etc/sundew/host.env # VOLUME REGION
readonly mount=/var/lib/sundew
readonly device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${VOLUME/-/}

mountpoint -q "$mount" && exit 0

token=$(curl -sfX PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
instance=$(curl -sf -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/instance-id)
until [ -b "$device" ]; do
	aws ec2 attach-volume --region "$REGION" --volume-id "$VOLUME" --instance-id "$instance" --device /dev/sdf ||
		echo "the volume is not free yet"
	for _ in 1 2 3 4 5; do
		[ -b "$device" ] || sleep 2
	done
done

# blkid ends with 2 if it read the device and found nothing: that alone is a new volume.
found=0
blkid -p "$device" >/dev/null || found=$?
case $found in
0) ;;
2) mkfs.xfs "$device" ;; # without -f: it refuses what is not empty
*)
	echo "cannot tell what is on $device" >&2
	exit 1
	;;
esac
mkdir -p "$mount"
mount -o noatime,nodev,nosuid,noexec "$device" "$mount"
xfs_growfs "$mount" >/dev/null # after the volume was made larger
chown sundew:sundew "$mount"
chmod 0700 "$mount"
