-- Cosigned checkpoints, of the own chain and of the peer's. note is the exact signed note: of the own
-- chain with the peer's cosignature below it; of the peer's chain with its author's signature alone,
-- because this row must be durable before the cosignature exists. It is made from cosigned_utc_s.

CREATE TABLE checkpoints (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    chain_id INTEGER NOT NULL REFERENCES chains (chain_id),
    size INTEGER NOT NULL CHECK (size >= 1),
    previous_size INTEGER NOT NULL CHECK (previous_size >= 0 AND previous_size < size),
    root BLOB NOT NULL,
    note BLOB NOT NULL,
    cosigned_utc_s INTEGER NOT NULL,
    stored_utc_ms INTEGER NOT NULL,
    row_check BLOB NOT NULL,
    UNIQUE (chain_id, size),
    FOREIGN KEY (chain_id, size) REFERENCES entries (chain_id, seq)
) STRICT;

-- Compare and swap: a state follows the one it was judged against, whatever the code above does.
CREATE TRIGGER checkpoints_follow BEFORE INSERT ON checkpoints
WHEN new.previous_size <> (SELECT coalesce(max(size), 0) FROM checkpoints WHERE chain_id = new.chain_id)
BEGIN SELECT RAISE(ABORT, 'a checkpoint follows the one cosigned before it'); END;

CREATE TRIGGER checkpoints_keep BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'a checkpoint is never deleted'); END;

CREATE TRIGGER checkpoints_stand BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'a checkpoint is never changed'); END;
