-- The people at the tills. sealed holds what is kept of the PIN (Argon2id); doc how often it was mistyped.
CREATE TABLE operators (
    id TEXT NOT NULL PRIMARY KEY,
    doc TEXT NOT NULL,
    sealed TEXT NOT NULL
);

-- What signs their sessions: sealed is the private key.
CREATE TABLE session_keys (
    id TEXT NOT NULL PRIMARY KEY,
    doc TEXT NOT NULL,
    sealed TEXT NOT NULL
);

UPDATE schema_version SET version = 3;
