-- Derived from the journal: which payment a refund's number belongs to.
CREATE TABLE refunds (
    out_refund_no TEXT NOT NULL PRIMARY KEY,
    payment TEXT NOT NULL
);

-- Kept beside the journal: what providers sent, as it came. One row for each body; a repeat is counted. verdict is
-- `believed`, `unmatched` or `refused`; of those that nobody signed only the latest are kept. headers is a JSON object;
-- body is text, or base64 where encoding says so.
CREATE TABLE notification_bodies (
    account TEXT NOT NULL,
    digest TEXT NOT NULL,
    channel TEXT NOT NULL,
    notification TEXT NOT NULL,
    out_trade_no TEXT NOT NULL,
    verdict TEXT NOT NULL,
    at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    times BIGINT NOT NULL,
    headers TEXT NOT NULL,
    encoding TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (account, digest)
);
CREATE INDEX notification_bodies_verdict ON notification_bodies (account, verdict, last_at);

-- Rows about no payment that people have to look at are listed by kind.
CREATE INDEX journal_notices ON journal (kind, seq) WHERE payment IS NULL;

UPDATE schema_version SET version = 2;
