-- Accounts of friends that were paired with, and what is shared with them. Keys,
-- labels, what stands for places, and lists of photos are sealed where the
-- account is; ids, days, times and counts are not. In a plain account the
-- column secret is what keeps everybody else out: who can read the file can read
-- and write the friend's messages.

CREATE TABLE friends (
    id        INTEGER PRIMARY KEY,
    uid       TEXT    NOT NULL UNIQUE,
    state     TEXT    NOT NULL CHECK (state IN ('invited', 'accepted', 'paired')),
    made      INTEGER NOT NULL,
    since     INTEGER NOT NULL, -- the first day that is compared, days of UTC since 1970
    heard     INTEGER NOT NULL CHECK (heard IN (0, 1)), -- whether the friend is known to have the pair
    person    INTEGER REFERENCES people (id) ON DELETE SET NULL,
    automatic INTEGER NOT NULL CHECK (automatic IN (0, 1)),
    home      INTEGER NOT NULL CHECK (home IN (0, 1)),
    only      INTEGER NOT NULL CHECK (only IN (0, 1)),
    label     TEXT    NOT NULL, -- what the account calls the friend
    secret    BLOB    NOT NULL  -- keys; the caller's
) STRICT;

CREATE INDEX friends_person ON friends (person);

-- Days that are compared: held is the friend's part of one that this side has
-- not begun, open one that waits for the friend, closed one of which nothing is
-- left.
CREATE TABLE rounds (
    id     INTEGER PRIMARY KEY,
    friend INTEGER NOT NULL REFERENCES friends (id) ON DELETE CASCADE,
    day    INTEGER NOT NULL, -- of UTC, since 1970
    state  TEXT    NOT NULL CHECK (state IN ('held', 'open', 'closed')),
    value  BLOB    NOT NULL, -- the caller's
    UNIQUE (friend, day)
) STRICT;

-- Messages that the host has not sent. What is asked again replaces what was
-- not sent yet.
CREATE TABLE outbox (
    id      INTEGER PRIMARY KEY,
    uid     TEXT    NOT NULL UNIQUE,
    friend  INTEGER NOT NULL REFERENCES friends (id) ON DELETE CASCADE,
    kind    TEXT    NOT NULL,
    ref     TEXT    NOT NULL, -- the day or the offer that it is about
    at      INTEGER NOT NULL,
    tries   INTEGER NOT NULL,
    message BLOB    NOT NULL,
    UNIQUE (friend, kind, ref)
) STRICT;

-- Photos for the friend: proposed to the owner, offered to the friend, and
-- wanted; and the friend's: asked, and taken if they are wanted.
CREATE TABLE offers (
    id     INTEGER PRIMARY KEY,
    uid    TEXT    NOT NULL UNIQUE,
    friend INTEGER NOT NULL REFERENCES friends (id) ON DELETE CASCADE,
    state  TEXT    NOT NULL CHECK (state IN ('proposed', 'offered', 'wanted', 'asked', 'taken')),
    day    INTEGER NOT NULL, -- of UTC, since 1970
    at     INTEGER NOT NULL, -- when it was proposed, offered or asked
    photos INTEGER NOT NULL, -- how many
    value  TEXT    NOT NULL  -- JSON
) STRICT;

CREATE INDEX offers_friend ON offers (friend);

-- What was decided about proposals, by whom or by the friend's rule.
CREATE TABLE choices (
    id       INTEGER PRIMARY KEY,
    uid      TEXT    NOT NULL UNIQUE,
    friend   INTEGER NOT NULL REFERENCES friends (id) ON DELETE CASCADE,
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL, -- as in the audit
    rule     INTEGER NOT NULL CHECK (rule IN (0, 1)),
    accepted INTEGER NOT NULL CHECK (accepted IN (0, 1)),
    day      INTEGER NOT NULL,
    photos   INTEGER NOT NULL, -- how many
    value    TEXT    NOT NULL  -- JSON
) STRICT;

CREATE INDEX choices_friend ON choices (friend);
