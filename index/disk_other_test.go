//go:build !linux

package index_test

import "testing"

func smallDisk(t *testing.T, _ string) (grow func()) {
	t.Skip("small disks are mounted on Linux only")
	return nil
}
