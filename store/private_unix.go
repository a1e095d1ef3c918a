//go:build unix

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// checkPrivate refuses an account that another user of the machine could read,
// swap or write to, with an *InsecureError. path is the account as the caller
// named it, file the same resolved; the file need not exist yet. Root is
// trusted everywhere, being able to do all of it anyway.
//
//   - The links that path leads through must be the effective user's or root's,
//     and their folders safe like the file's.
//   - The folder of the file must be the effective user's or root's, and nobody
//     else may rename in it: it is not writable by everybody unless sticky, as
//     /tmp is, and not by a group unless sticky, or the group has the number of
//     the folder's owner (a group of that user alone, by the custom of most
//     systems) or is root's.
//   - The file must be the effective user's or root's and have one name only: by
//     another, perhaps in another folder, SQLite would not find its log, nor
//     kith the lock. Its mode is not looked at: a writer tightens it.
//   - SQLite's files and the lock beside it must be regular files with one name,
//     of the same owners: SQLite opens what lies there, and would write vectors
//     into a file that somebody has put there.
//
// Root may open anybody's account, in anybody's folder: whoever's it is can
// read and change it anyway. Links are not followed even so unless they are
// root's, and the files beside the account must be root's or its owner's.
//
// Folders further up are not looked at: whoever can swap one of those cannot
// put anything in its place that passes as the user's own. Nor are access
// lists, but for the group bits that they show as. In a sticky folder a name
// that is still free can be taken between the check and its use; Linux does not
// open such files where fs.protected_symlinks and fs.protected_regular are set.
func checkPrivate(path, file string) error { return viewer(os.Geteuid()).check(path, file) }

// viewer is the number of the user who opens an account.
type viewer int

const root = 0

func (v viewer) check(path, file string) error {
	if err := v.checkLinks(path); err != nil {
		return err
	}
	if err := v.checkFolder(filepath.Dir(file)); err != nil {
		return err
	}
	owner := int(v)
	switch e, err := lstat(file); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case e.linked:
		return &InsecureError{file, "it has another name (a hard link), by which its log and lock would not be found; copy it to a file of its own"}
	case !v.trusts(e):
		return &InsecureError{file, fmt.Sprintf("it belongs to user %d, not to user %d who opens it; open it as its owner", e.uid, v)}
	default:
		owner = e.uid
	}
	for _, name := range append(besides(file), file+lockSuffix) {
		if err := v.checkBeside(name, owner); err != nil {
			return err
		}
	}
	return nil
}

// trusts reports whether the owner of e may be: v itself, or root, who can do
// everything anyway; and to root it is nothing new that users own what is theirs.
func (v viewer) trusts(e entry) bool { return v == root || e.uid == root || e.uid == int(v) }

// maxLinks is how many links may follow upon each other, as in Linux.
const maxLinks = 40

// checkLinks follows path's last element, link by link.
func (v viewer) checkLinks(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	for range maxLinks {
		e, err := lstat(path)
		if errors.Is(err, fs.ErrNotExist) { // not made yet; its folder is the file's
			return nil
		}
		if err != nil || e.mode&fs.ModeSymlink == 0 {
			return err
		}
		if e.uid != root && e.uid != int(v) { // root too follows only its own
			return &InsecureError{path, fmt.Sprintf("it is a link of user %d; name the file that is meant", e.uid)}
		}
		dir, _ := filepath.Split(path)
		if dir, err = filepath.EvalSymlinks(dir); err != nil {
			return err
		}
		if err := v.checkFolder(dir); err != nil {
			return err
		}
		if path, err = os.Readlink(path); err != nil {
			return err
		}
		if !filepath.IsAbs(path) {
			path = dir + "/" + path // filepath.Join would drop x/.. even where x is a link
		}
	}
	return fmt.Errorf("%q: too many links", path)
}

func (v viewer) checkFolder(dir string) error {
	const advice = "; use a folder that only you can write to (mode 0700), which may lie in this one"
	e, err := lstat(dir)
	switch {
	case err != nil:
		return err
	case !v.trusts(e):
		return &InsecureError{dir, fmt.Sprintf("the folder belongs to user %d", e.uid) + advice}
	case e.mode&fs.ModeSticky != 0:
	case e.mode&0o002 != 0:
		return &InsecureError{dir, "everybody can write to the folder" + advice}
	case e.mode&0o020 != 0 && e.gid != e.uid && e.gid != root:
		return &InsecureError{dir, fmt.Sprintf("group %d can write to the folder", e.gid) + advice}
	}
	return nil
}

// checkBeside looks at a file that SQLite or the lock would use, beside an
// account of owner.
func (v viewer) checkBeside(name string, owner int) error {
	e, err := lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !e.mode.IsRegular():
		return &InsecureError{name, "it is no regular file, but lies where the account's own files do; find out who has put it there and take it away"}
	case e.linked:
		return &InsecureError{name, "it has another name (a hard link); copy it to a file of its own"}
	case e.uid != root && e.uid != int(v) && e.uid != owner:
		return &InsecureError{name, fmt.Sprintf("it belongs to user %d, as the account does not; find out who has put it there and take it away", e.uid)}
	}
	return nil
}

// entry is what is asked of a name in a folder.
type entry struct {
	mode     fs.FileMode
	uid, gid int
	linked   bool // it has more names than this one
}

func lstat(path string) (entry, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return entry{}, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok { // on the systems that this is built for it is always one
		return entry{}, fmt.Errorf("%q: its owner is unknown", path)
	}
	return entry{mode: info.Mode(), uid: int(st.Uid), gid: int(st.Gid), linked: st.Nlink > 1}, nil
}
