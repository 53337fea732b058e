-- Other systems that may ask models for advice (CDS Hooks). The binding is a keyed hash over all that lets one in.
CREATE TABLE cds_client (
    id            uuid PRIMARY KEY,
    name          text NOT NULL,
    issuer        text NOT NULL,
    keys          text NOT NULL,
    origins       text NOT NULL,
    registered    timestamptz NOT NULL,
    registered_by uuid NOT NULL,
    withdrawn     timestamptz,
    withdrawn_by  uuid,
    binding       bytea NOT NULL
);
CREATE UNIQUE INDEX cds_client_issuer ON cds_client (issuer) WHERE withdrawn IS NULL;

-- Tokens of other systems that were taken, by the hash of their issuer and name: none counts twice. Older ones are refused by their time.
CREATE TABLE cds_token (
    hash    bytea PRIMARY KEY,
    expires timestamptz NOT NULL
);
CREATE INDEX cds_token_expires ON cds_token (expires);

-- What became of cards. Asker is another system, or an account here; a card is a random name that leads to nobody.
CREATE TABLE cds_feedback (
    asker    uuid NOT NULL,
    card     uuid NOT NULL,
    model    text NOT NULL,
    outcome  smallint NOT NULL,
    reason   text,
    given    timestamptz NOT NULL,
    binding  bytea NOT NULL,
    PRIMARY KEY (asker, card)
);
CREATE INDEX cds_feedback_model ON cds_feedback (model, given DESC);
