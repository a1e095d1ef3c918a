//go:build !unix

package store

// checkPrivate has nothing to look at: who may use a file is said by access
// lists here, which a new file takes from its folder.
func checkPrivate(string, string) error { return nil }
