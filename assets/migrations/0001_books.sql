-- The books. The same text runs on SQLite and PostgreSQL: only BIGINT and TEXT, 0 and 1 for no and yes.

-- What happened, one row each, never changed. `mac` = HMAC-SHA256(key, prev_mac || canonical row), in hex.
CREATE TABLE journal (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    payment TEXT,
    payload TEXT NOT NULL,
    prev_mac TEXT NOT NULL,
    mac TEXT NOT NULL
);
CREATE INDEX journal_payment ON journal (payment, seq);

-- The chain's end: one row. Whoever writes locks it.
CREATE TABLE journal_head (
    id BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL,
    mac TEXT NOT NULL
);
INSERT INTO journal_head (id, seq, mac) VALUES (1, 0, '');

-- Derived from the journal.
CREATE TABLE payments (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    state TEXT NOT NULL,
    store TEXT NOT NULL,
    till TEXT NOT NULL,
    channel TEXT,
    training BIGINT NOT NULL,
    business_day TEXT NOT NULL,
    unfinished BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX payments_day ON payments (business_day, id);
CREATE INDEX payments_unfinished ON payments (unfinished, id);

-- Derived from the journal.
CREATE TABLE attempts (
    out_trade_no TEXT PRIMARY KEY,
    payment TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    auth_code_mac TEXT
);
CREATE INDEX attempts_code ON attempts (auth_code_mac, started_at);

-- Derived from the journal: running sums, in minor units.
CREATE TABLE takings (
    business_day TEXT NOT NULL,
    store TEXT NOT NULL,
    till TEXT NOT NULL,
    operator TEXT NOT NULL,
    channel TEXT NOT NULL,
    hour BIGINT NOT NULL,
    training BIGINT NOT NULL,
    currency TEXT NOT NULL,
    gross BIGINT NOT NULL,
    refunds BIGINT NOT NULL,
    sales BIGINT NOT NULL,
    refund_count BIGINT NOT NULL,
    PRIMARY KEY (business_day, store, till, operator, channel, hour, training, currency)
);

-- Answers to idempotent calls.
CREATE TABLE answers (
    scope TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    digest TEXT NOT NULL,
    status BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (scope, idempotency_key)
);

-- Notifications that were counted.
CREATE TABLE notifications (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL
);

-- Sealed: what only the program may read.
CREATE TABLE accounts (id TEXT PRIMARY KEY, sealed TEXT NOT NULL);
CREATE TABLE tills (id TEXT PRIMARY KEY, sealed TEXT NOT NULL);
CREATE TABLE stores (id TEXT PRIMARY KEY, name TEXT NOT NULL);

CREATE TABLE schema_version (version BIGINT NOT NULL);
INSERT INTO schema_version (version) VALUES (1);
