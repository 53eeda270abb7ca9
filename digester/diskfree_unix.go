//go:build unix

package main

import "golang.org/x/sys/unix"

// diskFree returns how many bytes of a path's file system this process may still
// use, and how many it has in all.
func diskFree(path string) (free, total int64, err error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(path, &stat); err != nil {
		return 0, 0, err
	}
	return int64(stat.Bavail) * int64(stat.Bsize), int64(stat.Blocks) * int64(stat.Bsize), nil
}
