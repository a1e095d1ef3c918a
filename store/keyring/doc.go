// Package keyring keeps the data keys of accounts for a host that has no key
// management service: a [Ring] is a folder of small files, one per account,
// each with that account's data key wrapped by a host key. It implements
// [store.KeyProvider].
//
// # What is on disk
//
// The file of an account is named by the SHA-256 of its id, in hexadecimal,
// and ".key". The id itself is nowhere, but whoever can guess it can tell that
// the account exists. A file has 108 bytes:
//
//	 0   7  "kithkey"
//	 7   1  version of the format, 1
//	 8   8  which host key wrapped it: the first bytes of the SHA-256 of a
//	        label and that key
//	16  32  SHA-256 of the account's id
//	48  12  nonce, random
//	60  32  the data key, encrypted
//	92  16  tag
//
// The last three are AES-256-GCM (NIST SP 800-38D) under the host key, with
// the first 48 bytes as associated data: a file that was changed, or put in
// the place of another account's, is refused. What a file cannot show is that
// it is an older one of the same account, brought back.
//
// Beside these there is the empty file "lock", which makes processes take
// turns, and after a crash there may be files that end in ".tmp"; the next
// [Ring.Rotate] removes them, and [Ring.DestroyKey] those of its account. The
// folder (mode 0700) and its files (0600) are for one user only; one that
// others may read or write, and a file that is a symbolic link, are refused.
// Windows has no such modes: there the folder's access list must say it. The
// file system must have locks and hard links.
//
// # What changing the host key means
//
// [Ring.Rotate] wraps every data key again, under the current host key. Data
// keys stay as they are, so no account is touched, nor need it be closed.
// Give the new host key to every process that uses the folder, as current or
// old, before one of them rotates. After a Rotate without error nothing in
// the folder needs an old host key. Rotation helps where a host key may
// become known later; it does not help an account whose file and wrapped key
// were copied together with the old host key.
//
// # What destruction means, and what it cannot
//
// An account's file is useless without its data key, and so are all copies of
// it. [Ring.DestroyKey] overwrites the wrapped key and removes it, and
// [Ring.Rotate] does so with the file it replaces; a hard link to the file
// loses the key with it. This reaches nothing else: a journal, a snapshot, a
// file system that never writes in place (btrfs, ZFS) or the spare blocks of
// an SSD can keep the wrapped bytes that were overwritten. Destroying the host
// key that wrapped them (after a Rotate to a new one) makes those useless too.
// A process that was given the data key may still hold it.
//
// A backup of the folder undoes destruction for as long as it exists. Keep
// backups of the folder apart from backups of the accounts, let them expire
// sooner, and keep the host key with neither; otherwise the erasure of
// an account by its key is void. Without any backup, a lost folder or a lost
// host key means that every account is lost.
package keyring
