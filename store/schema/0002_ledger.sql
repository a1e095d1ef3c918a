-- A revocation has a place in the ledger's own order, which no clock can
-- upset: the greatest seq there was when it was made. For the revocations so
-- far the clock is all there is to go by.
ALTER TABLE decisions ADD COLUMN revoked_after INTEGER;

UPDATE decisions SET revoked_after = max(seq,
    (SELECT coalesce(max(d.seq), 0) FROM decisions d WHERE d.at <= decisions.revoked))
WHERE revoked IS NOT NULL;

-- Whose the faces were that a decision moved, as JSON: what undoing it takes.
ALTER TABLE decisions ADD COLUMN before TEXT;

-- Every transaction that finds faces asks for the standing not-a-face.
CREATE INDEX decisions_kind ON decisions (kind) WHERE revoked IS NULL;

ALTER TABLE people ADD COLUMN ignored INTEGER NOT NULL DEFAULT 0 CHECK (ignored IN (0, 1));

-- Whether somebody chose the cover.
ALTER TABLE people ADD COLUMN chosen INTEGER NOT NULL DEFAULT 0 CHECK (chosen IN (0, 1));

-- The decision by which it is no face. Row and vector stay, so that it is
-- known when it is found again.
ALTER TABLE faces ADD COLUMN rejected TEXT REFERENCES decisions (uid)
    CHECK (rejected IS NULL OR person IS NULL);

CREATE INDEX faces_rejected ON faces (rejected) WHERE rejected IS NOT NULL;

-- With the photo in it, a person's photos are counted without reading faces.
DROP INDEX faces_person;
CREATE INDEX faces_person ON faces (person, photo);

-- What happened to people, without their names. AUTOINCREMENT: a number is
-- never used again, even when all rows are erased.
CREATE TABLE events (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    kind   TEXT    NOT NULL CHECK (kind <> ''),
    person TEXT    NOT NULL, -- uid, as is other; neither is a reference
    other  TEXT    NOT NULL,
    came   INTEGER NOT NULL, -- faces
    went   INTEGER NOT NULL
) STRICT;
