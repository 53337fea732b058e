-- Written in the transaction of its entry, gone when the entry has its position in the log.
CREATE TABLE leaf_pending (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type     text NOT NULL,
    id       text NOT NULL,
    version  integer NOT NULL,
    envelope bytea NOT NULL
);

CREATE TABLE leaf (
    position bigint PRIMARY KEY,
    type     text NOT NULL,
    id       text NOT NULL,
    version  integer NOT NULL,
    envelope bytea NOT NULL,
    UNIQUE (type, id, version)
);

-- Found by their key alone, they need no fresh statistics.
ALTER TABLE leaf_pending SET (autovacuum_analyze_threshold = 1000000);
ALTER TABLE leaf SET (autovacuum_analyze_scale_factor = 0.5, autovacuum_analyze_threshold = 10000);

CREATE TABLE log_head (
    size       bigint PRIMARY KEY,
    root       bytea NOT NULL,
    checkpoint text,
    written    timestamptz NOT NULL,
    cosigned   integer NOT NULL DEFAULT 0
);

-- Heads that the contract has accepted, with the evidence captured then.
CREATE TABLE anchor (
    size             bigint PRIMARY KEY REFERENCES log_head,
    transaction_hash bytea NOT NULL,
    block_number     bigint NOT NULL,
    block_hash       bytea NOT NULL,
    gas_used         bigint NOT NULL,
    mined            timestamptz NOT NULL,
    durable          boolean NOT NULL
);

-- What the chain showed right after: nodes forget old states, so it cannot be had later.
CREATE TABLE anchor_evidence (
    size     bigint PRIMARY KEY REFERENCES anchor ON DELETE CASCADE,
    evidence bytea NOT NULL
);

-- Transactions other than anchors, in the order they must be sent. Contracts take each of them twice without harm.
CREATE TABLE chain_transaction (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purpose          text NOT NULL,
    reference        text NOT NULL,
    contract         text NOT NULL,
    data             bytea NOT NULL,
    created          timestamptz NOT NULL,
    state            smallint NOT NULL DEFAULT 0,
    transaction_hash bytea,
    block_number     bigint,
    block_hash       bytea,
    gas_used         bigint,
    mined            timestamptz,
    refusal          text,
    -- Hashes under which it was sent, written before each sending: after a kill, one of them may be in a block.
    attempts         bytea[] NOT NULL DEFAULT '{}',
    UNIQUE (purpose, reference)
);
CREATE INDEX chain_transaction_open ON chain_transaction (id) WHERE state < 3;

CREATE TABLE chain_deployment (
    contract text PRIMARY KEY,
    address  bytea NOT NULL,
    chain_id bigint NOT NULL,
    block    bigint NOT NULL
);

-- The node's own keys (checkpoint signer, chain signer), sealed under the node's owner key.
CREATE TABLE node_key (
    name   text PRIMARY KEY,
    sealed bytea NOT NULL
);
