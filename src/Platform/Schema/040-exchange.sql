-- Requests of other members that were taken, by their random numbers: none counts twice. Older ones are refused by their time.
CREATE TABLE exchange_nonce (
    nonce  bytea PRIMARY KEY,
    member bigint NOT NULL,
    taken  timestamptz NOT NULL
);
CREATE INDEX exchange_nonce_taken ON exchange_nonce (taken);
