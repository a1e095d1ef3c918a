// Package store keeps what is known of one account in one SQLite file.
//
// # What is on disk
//
// The file holds the account's id, settings and history of consent; per photo
// its path, size, modification time, SHA-256, what EXIF says about it and how
// far it came; per face its box, landmarks, quality and vector, and with whom
// it is and why; people and their names; the ledger of decisions; and, without
// names, the events of what became of people. Vectors lie together in chunks
// of half a megabyte, but for the latest. No pixel is kept. Everything is in
// plain: whoever can read the file can read names and vectors, so it is made
// for its owner only (mode 0600). Names of the tables and columns may change
// with any version; what may not is in the exported types.
//
// Beside the file FILE there are, while it is open, FILE-wal and FILE-shm,
// which are SQLite's (and remain after a crash: FILE-wal then holds what was
// committed last, and must stay with FILE), and FILE-lock, which is empty and
// tells processes apart. FILE-creating is an account that is being made.
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
// at the same time; each listing shows one moment. What [DB.EraseBiometrics]
// has erased is in none of the files above; copies that the file system, the
// disk or a backup made are beyond it.
//
// A file on a network file system without proper locks is not safe, nor is
// one that is reached by two names through hard links.
package store
