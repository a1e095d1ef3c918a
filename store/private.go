package store

import "fmt"

// InsecureError reports an account that another user of the machine could
// read, change or swap for another, by its name, its folder or the files that
// lie beside it. Nothing was opened and nothing was changed.
type InsecureError struct {
	Path   string // what is at fault: the account, a link to it, its folder or a file beside it
	Reason string // what is wrong with it and what to do about it
}

func (e *InsecureError) Error() string {
	return fmt.Sprintf("%q is open to other users: %s", e.Path, e.Reason)
}
