-- The books. One text for SQLite and PostgreSQL: BIGINT and TEXT only; booleans are 0 or 1, bytes are hex, moments are
-- milliseconds since 1970-01-01T00:00:00Z, days are YYYY-MM-DD, amounts are minor units.

CREATE TABLE schema_version (version BIGINT NOT NULL);
INSERT INTO schema_version (version) VALUES (1);

-- The journal: only ever appended to. mac = HMAC-SHA256(chain key, prev || canonical row).
CREATE TABLE journal (
    seq BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    payment TEXT,
    payload TEXT NOT NULL,
    prev TEXT NOT NULL,
    mac TEXT NOT NULL
);
CREATE INDEX journal_payment ON journal (payment, seq) WHERE payment IS NOT NULL;

-- The end of the journal, one row: what a writer locks, and how a tail that was cut off is noticed.
CREATE TABLE journal_head (
    id BIGINT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    mac TEXT NOT NULL,
    seal TEXT NOT NULL
);
INSERT INTO journal_head (id, seq, mac, seal)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', '');

-- Derived from the journal alone: payments, attempts, takings. `scantill ledger rebuild` makes them anew.
CREATE TABLE payments (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    business_day TEXT NOT NULL,
    store TEXT NOT NULL,
    till TEXT NOT NULL,
    channel TEXT NOT NULL,
    training BIGINT NOT NULL,
    unfinished BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX payments_day ON payments (business_day, id);
CREATE INDEX payments_unfinished ON payments (id) WHERE unfinished = 1;

CREATE TABLE attempts (
    out_trade_no TEXT NOT NULL PRIMARY KEY,
    payment TEXT NOT NULL,
    account TEXT NOT NULL,
    auth_code_mac TEXT,
    started_at BIGINT NOT NULL
);
CREATE INDEX attempts_account ON attempts (account);
CREATE INDEX attempts_code ON attempts (auth_code_mac, started_at) WHERE auth_code_mac IS NOT NULL;

CREATE TABLE takings (
    business_day TEXT NOT NULL,
    training BIGINT NOT NULL,
    currency TEXT NOT NULL,
    store TEXT NOT NULL,
    till TEXT NOT NULL,
    operator TEXT NOT NULL,
    channel TEXT NOT NULL,
    hour BIGINT NOT NULL,
    gross BIGINT NOT NULL,
    refunds BIGINT NOT NULL,
    sales BIGINT NOT NULL,
    refund_count BIGINT NOT NULL,
    PRIMARY KEY (business_day, training, currency, store, till, operator, channel, hour)
);

-- Kept beside the journal: what was answered and heard, and who is at work on what.
CREATE TABLE answers (
    scope TEXT NOT NULL,
    answer_key TEXT NOT NULL,
    digest TEXT NOT NULL,
    status BIGINT NOT NULL,
    body TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (scope, answer_key)
);

CREATE TABLE notifications (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL
);

CREATE TABLE leases (
    payment TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    until_at BIGINT NOT NULL
);

-- Who takes payments, and through whom. doc is JSON with no secret in it; sealed is AES-256-GCM in hex.
CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY,
    doc TEXT NOT NULL,
    sealed TEXT NOT NULL
);
CREATE TABLE stores (
    id TEXT NOT NULL PRIMARY KEY,
    doc TEXT NOT NULL,
    sealed TEXT NOT NULL
);
CREATE TABLE tills (
    id TEXT NOT NULL PRIMARY KEY,
    doc TEXT NOT NULL,
    sealed TEXT NOT NULL
);
