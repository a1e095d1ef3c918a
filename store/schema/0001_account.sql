-- Ids named uid are random text and leave the file; integer ids never do.
-- Times are microseconds since 1970 in UTC unless a column says otherwise.

CREATE TABLE account (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    uid     TEXT    NOT NULL CHECK (uid <> ''),
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The whole history; the latest row holds.
CREATE TABLE consent (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    given   INTEGER NOT NULL CHECK (given IN (0, 1)),
    at      INTEGER NOT NULL,
    by      TEXT    NOT NULL,
    version TEXT    NOT NULL,
    means   TEXT    NOT NULL
) STRICT;

CREATE TABLE photos (
    id           INTEGER PRIMARY KEY,
    uid          TEXT    NOT NULL UNIQUE,
    path         TEXT    NOT NULL UNIQUE,
    size         INTEGER NOT NULL,
    mtime_s      INTEGER NOT NULL, -- seconds since 1970, and nanoseconds within
    mtime_ns     INTEGER NOT NULL CHECK (mtime_ns BETWEEN 0 AND 999999999),
    sha256       BLOB    NOT NULL CHECK (length(sha256) = 32),
    width        INTEGER NOT NULL,
    height       INTEGER NOT NULL,
    orientation  INTEGER NOT NULL,
    status       TEXT    NOT NULL CHECK (status IN ('ok', 'pending', 'failed')),
    stage        TEXT    NOT NULL,
    error        TEXT    NOT NULL,
    warning      TEXT    NOT NULL,
    analyzer     TEXT    NOT NULL,
    taken_wall   INTEGER,          -- microseconds, the camera clock read as if it showed UTC
    taken_offset INTEGER NOT NULL, -- seconds east of UTC
    taken_zone   TEXT    NOT NULL, -- where the offset came from
    lat          REAL,
    lon          REAL,
    alt          REAL,
    make         TEXT    NOT NULL,
    model        TEXT    NOT NULL,
    CHECK ((lat IS NULL) = (lon IS NULL)),
    CHECK (status <> 'ok' OR analyzer <> '')
) STRICT;

CREATE INDEX photos_sha256 ON photos (sha256);

-- impostors is JSON.
CREATE TABLE spaces (
    id        INTEGER PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE CHECK (name <> ''),
    dim       INTEGER NOT NULL CHECK (dim BETWEEN 1 AND 65536),
    impostors TEXT    NOT NULL
) STRICT;

CREATE TABLE people (
    id      INTEGER PRIMARY KEY,
    uid     TEXT    NOT NULL UNIQUE,
    name    TEXT    NOT NULL,
    cover   INTEGER REFERENCES faces (id) ON DELETE SET NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE INDEX people_cover ON people (cover);

-- Deleting a person must first take the faces away, so that a face never
-- keeps the origin of a person that is gone: hence no ON DELETE for person.
CREATE TABLE faces (
    id        INTEGER PRIMARY KEY,
    uid       TEXT    NOT NULL UNIQUE,
    photo     INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
    x         REAL    NOT NULL,
    y         REAL    NOT NULL,
    w         REAL    NOT NULL,
    h         REAL    NOT NULL,
    landmarks BLOB    NOT NULL CHECK (length(landmarks) = 80), -- 5 x (x, y), little-endian float64
    score     REAL    NOT NULL,
    quality   REAL    NOT NULL,
    detector  TEXT    NOT NULL,
    person    INTEGER REFERENCES people (id),
    origin    TEXT    NOT NULL CHECK (origin IN ('', 'group', 'decision', 'import')),
    CHECK ((person IS NULL) = (origin = ''))
) STRICT;

CREATE INDEX faces_photo ON faces (photo);
CREATE INDEX faces_person ON faces (person);

CREATE TABLE vectors (
    face  INTEGER PRIMARY KEY REFERENCES faces (id) ON DELETE CASCADE,
    space INTEGER NOT NULL REFERENCES spaces (id),
    v     BLOB    NOT NULL CHECK (length(v) > 0 AND length(v) % 4 = 0) -- little-endian float32
) STRICT;

CREATE INDEX vectors_space ON vectors (space);

-- person and other are uids and no references: an entry outlives the people
-- it speaks of. faces and others are packed references, see codec.go.
CREATE TABLE decisions (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    uid      TEXT    NOT NULL UNIQUE,
    kind     TEXT    NOT NULL CHECK (kind <> ''),
    at       INTEGER NOT NULL,
    person   TEXT    NOT NULL,
    other    TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    old_name TEXT    NOT NULL,
    faces    BLOB    NOT NULL CHECK (length(faces) % 64 = 0),
    others   BLOB    NOT NULL CHECK (length(others) % 64 = 0),
    revoked  INTEGER
) STRICT;

CREATE INDEX decisions_person ON decisions (person);
CREATE INDEX decisions_other ON decisions (other);
