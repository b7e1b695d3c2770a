-- The record of one node. Plain SQL; times are UTC unix milliseconds; hashes and ids are lower-case
-- hex text so that a person with any SQLite shell can read them.
--
-- row_check is the first 16 bytes of SHA-256 over the other columns of a row (sqlite.py says how).
-- It finds accidents in columns no signature covers. It proves nothing against a person who edits
-- the file: signatures and the peer's receipts do that.

CREATE TABLE lines (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    line_id TEXT NOT NULL UNIQUE,
    own_party TEXT NOT NULL,
    peer_party TEXT NOT NULL CHECK (peer_party <> own_party),
    created_utc_ms INTEGER NOT NULL,
    terms_hash TEXT,
    row_check BLOB NOT NULL
) STRICT;

CREATE TABLE terms (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    line_id TEXT NOT NULL REFERENCES lines (line_id),
    terms_hash TEXT NOT NULL,
    party TEXT NOT NULL,
    data BLOB NOT NULL,
    algorithm TEXT NOT NULL,
    key_id TEXT NOT NULL,
    signature BLOB NOT NULL,
    stored_utc_ms INTEGER NOT NULL,
    row_check BLOB NOT NULL,
    UNIQUE (line_id, terms_hash, party, key_id)
) STRICT;

-- One row per party, line and epoch. seq and hash are the head: they move in the same transaction
-- as the entries, so a lost last entry is missed here.
CREATE TABLE chains (
    chain_id INTEGER PRIMARY KEY AUTOINCREMENT,
    line_id TEXT NOT NULL REFERENCES lines (line_id),
    party TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    UNIQUE (line_id, party, epoch)
) STRICT;

CREATE TABLE entries (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    chain_id INTEGER NOT NULL REFERENCES chains (chain_id),
    seq INTEGER NOT NULL CHECK (seq >= 1),
    hash TEXT NOT NULL UNIQUE,
    data BLOB NOT NULL,
    algorithm TEXT NOT NULL,
    key_id TEXT NOT NULL,
    signature BLOB,
    logged_utc_ms INTEGER NOT NULL,
    delayed INTEGER NOT NULL CHECK (delayed IN (0, 1)),
    row_check BLOB NOT NULL,
    UNIQUE (chain_id, seq)
) STRICT;

CREATE INDEX entries_unsigned ON entries (chain_id, seq) WHERE signature IS NULL;

-- Signed by the party of the line that is not the chain's.
CREATE TABLE receipts (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    chain_id INTEGER NOT NULL REFERENCES chains (chain_id),
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    data BLOB NOT NULL,
    algorithm TEXT NOT NULL,
    key_id TEXT NOT NULL,
    signature BLOB NOT NULL,
    stored_utc_ms INTEGER NOT NULL,
    row_check BLOB NOT NULL,
    UNIQUE (chain_id, seq),
    FOREIGN KEY (chain_id, seq) REFERENCES entries (chain_id, seq)
) STRICT;

-- line_id is what the packet said, so it need not name a line of ours.
CREATE TABLE evidence (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    line_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    hash TEXT NOT NULL,
    data BLOB NOT NULL,
    algorithm TEXT NOT NULL,
    key_id TEXT NOT NULL,
    signature BLOB NOT NULL,
    stored_utc_ms INTEGER NOT NULL,
    row_check BLOB NOT NULL,
    UNIQUE (line_id, hash, signature)
) STRICT;

CREATE TABLE events (
    event_id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_utc_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    data BLOB NOT NULL,
    row_check BLOB NOT NULL
) STRICT;

CREATE TABLE notes (
    key TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL,
    row_check BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The last line of defence: what was said stays said, whatever the code above does.

CREATE TRIGGER entries_keep BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'an entry is never deleted'); END;

CREATE TRIGGER entries_stand
BEFORE UPDATE OF position, chain_id, seq, hash, data, algorithm, key_id, logged_utc_ms, delayed, row_check
ON entries
BEGIN SELECT RAISE(ABORT, 'an entry is never changed'); END;

CREATE TRIGGER entries_signed_once BEFORE UPDATE OF signature ON entries
WHEN old.signature IS NOT NULL OR new.signature IS NULL
BEGIN SELECT RAISE(ABORT, 'an entry is signed once'); END;

CREATE TRIGGER entries_follow BEFORE INSERT ON entries
WHEN new.seq > 1 AND NOT EXISTS
    (SELECT 1 FROM entries WHERE chain_id = new.chain_id AND seq = new.seq - 1)
BEGIN SELECT RAISE(ABORT, 'an entry follows the one before it'); END;

CREATE TRIGGER receipts_keep BEFORE DELETE ON receipts
BEGIN SELECT RAISE(ABORT, 'a receipt is never deleted'); END;

CREATE TRIGGER receipts_stand BEFORE UPDATE ON receipts
BEGIN SELECT RAISE(ABORT, 'a receipt is never changed'); END;

CREATE TRIGGER events_follow BEFORE INSERT ON events
WHEN new.event_id <> (SELECT coalesce(max(event_id), 0) + 1 FROM events)
BEGIN SELECT RAISE(ABORT, 'event ids grow by one'); END;
