//go:build !unix

package main

import "errors"

// diskFree is known on Unix only.
func diskFree(string) (free, total int64, err error) {
	return 0, 0, errors.ErrUnsupported
}
