-- What an account's owner, and those in the photos, can ask for: sealing,
-- restriction, erasure, retention, correction, and a record of it.
--
-- Where the account is sealed, values that say something of people are
-- encrypted, in the columns below named so and in those of before: texts as
-- base64, '' as it is; vectors, chunks and face references with 28 bytes more;
-- of photos, path and sha256 become keyed hashes, and they, places, camera and
-- messages go into the column sealed. See vault.go and sealed.go.
ALTER TABLE account ADD COLUMN salt BLOB;          -- of tombstones; made by Open, sealed with the account
ALTER TABLE account ADD COLUMN sealed BLOB;        -- tells the right key; NULL: the account is plain
ALTER TABLE account ADD COLUMN restricted INTEGER; -- since when; NULL: it is not
ALTER TABLE account ADD COLUMN deleted INTEGER;    -- when deletion was asked for
ALTER TABLE account ADD COLUMN erased INTEGER;     -- since when nothing but the audit is left
-- Erased rows may have left bytes in the file and its log.
ALTER TABLE account ADD COLUMN scrub INTEGER NOT NULL DEFAULT 0 CHECK (scrub IN (0, 1));
-- The hash that the oldest entry of the audit follows.
ALTER TABLE account ADD COLUMN anchor BLOB;

ALTER TABLE consent ADD COLUMN purpose TEXT NOT NULL DEFAULT 'faces';
ALTER TABLE consent ADD COLUMN person TEXT NOT NULL DEFAULT ''; -- uid; '': the account's owner's consent
CREATE INDEX consent_person ON consent (person);

ALTER TABLE photos ADD COLUMN sealed BLOB;
ALTER TABLE photos ADD COLUMN added INTEGER NOT NULL DEFAULT 0; -- when its content was first looked at
ALTER TABLE photos ADD COLUMN vanished INTEGER; -- when its file was first missed
ALTER TABLE photos ADD COLUMN disposed INTEGER; -- when its original was given to be deleted, and was
-- What the file says of time and place, as JSON, while a correction stands.
ALTER TABLE photos ADD COLUMN original TEXT;

UPDATE photos SET added = unixepoch() * 1000000;
CREATE INDEX photos_vanished ON photos (vanished) WHERE vanished IS NOT NULL;
CREATE INDEX photos_added ON photos (added);

ALTER TABLE faces ADD COLUMN sealed BLOB; -- the landmarks

-- A correction's new time or place, as JSON.
ALTER TABLE decisions ADD COLUMN value TEXT NOT NULL DEFAULT '';

-- What must not come back: a face by its photo's content and box, or, without
-- a box, a photo. photo is a hash of the content's hash with the account's salt.
CREATE TABLE tombstones (
    id      INTEGER PRIMARY KEY,
    request TEXT    NOT NULL, -- uid of the audit's entry
    photo   BLOB    NOT NULL CHECK (length(photo) = 32),
    x       REAL,
    y       REAL,
    w       REAL,
    h       REAL,
    CHECK ((x IS NULL) = (y IS NULL) AND (x IS NULL) = (w IS NULL) AND (x IS NULL) = (h IS NULL))
) STRICT;

CREATE INDEX tombstones_photo ON tombstones (photo);
CREATE INDEX tombstones_request ON tombstones (request);

-- Who did what to which classes of data, without a word about people. Each
-- entry's hash covers the one before.
CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    uid    TEXT    NOT NULL UNIQUE,
    at     INTEGER NOT NULL,
    actor  TEXT    NOT NULL,
    action TEXT    NOT NULL CHECK (action <> ''),
    counts TEXT    NOT NULL, -- JSON: how many by class
    hash   BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- Originals that the host was asked to delete, and has not said that it did.
CREATE TABLE disposals (
    photo INTEGER PRIMARY KEY REFERENCES photos (id) ON DELETE CASCADE,
    begun INTEGER,         -- when it was asked, while there is no answer
    tries INTEGER NOT NULL
) STRICT;

-- Files that the host made of the account, and deletes when they are due.
CREATE TABLE products (
    uid   TEXT    PRIMARY KEY,
    class TEXT    NOT NULL,
    at    INTEGER NOT NULL,
    name  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
