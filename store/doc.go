// Package store keeps what is known of one account in one SQLite file.
//
// # What is on disk
//
// The file holds the account's id, settings and history of consent; per photo
// its path, size, modification time, SHA-256, what EXIF says about it and how
// far it came; per face its box, landmarks, quality and vector, and with whom
// it is and why; people and their names; the ledger of decisions; and, without
// names, the events of what became of people. Vectors lie together in chunks
// of half a megabyte, but for the latest. There are tombstones of what was
// erased (salted hashes and boxes), corrections of times and places, and the
// audit. No pixel is kept. The file is made for its owner only (mode 0600), and
// everything in it is in plain, unless the account is opened with a
// [KeyProvider]: then what says something of people is encrypted (see
// vault.go), and what is left in plain are ids, times, sizes, counts, boxes,
// states, and who is with which person. Names of the tables and columns may
// change with any version; what may not is in the exported types.
//
// Beside the file FILE there are, while it is open, FILE-wal and FILE-shm,
// which are SQLite's (and remain after a crash: FILE-wal then holds what was
// committed last, and must stay with FILE), and FILE-lock, which is empty and
// tells processes apart. FILE-creating is an account that is being made, and
// FILE-scrubbing the copy of one that an erasure is rewriting.
// Nothing is written elsewhere, not even to the directory for temporary files.
// A read-only account leaves FILE-wal (empty) and FILE-shm where it could make
// them; the next one that writes removes them. FILE's modification time is
// that at which it was last closed, in whole even seconds.
//
// # What is promised
//
// A method that changes something does it in one transaction: as a whole or,
// after an error, a cancelled context or a crash of the process, not at all.
// After a power cut the last transactions may be missing as a whole
// (synchronous=NORMAL). One process at a time may write, any number may read
// at the same time; each listing shows one moment. What an erasure has
// taken is in none of the files above, once it has returned without an error or
// the account was opened again after a crash; copies that the file system, the
// disk or a backup made are beyond it, but for those of a sealed account whose
// key was destroyed.
//
// A file on a network file system without proper locks is not safe. One that
// another user of the machine could read, swap or write to is refused.
package store
