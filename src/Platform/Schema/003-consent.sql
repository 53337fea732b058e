-- The pseudonym and the signing key (sealed) of a patient at the consents' contract.
CREATE TABLE consent_subject (
    patient text PRIMARY KEY REFERENCES patient,
    subject bytea NOT NULL UNIQUE,
    sealed_key bytea NOT NULL
);

-- The mirror of the contract: what was asked for here, and what the chain says of it.
CREATE TABLE consent (
    id            bytea PRIMARY KEY,
    patient       text NOT NULL REFERENCES patient,
    resource      text NOT NULL UNIQUE,
    grantee       text NOT NULL,
    commitment    bytea NOT NULL,
    not_after     timestamptz NOT NULL,
    requested     timestamptz NOT NULL,
    granted_block bigint,
    revoked       timestamptz,
    revoked_block bigint
);
CREATE INDEX consent_by_patient ON consent (patient, grantee);
CREATE INDEX consent_by_grantee ON consent (grantee);

-- How far the mirror has read: the last block of each reading. The newest is where it goes on; the older ones tell, when the chain has lost
-- blocks, down to where it still is the chain that was read.
CREATE TABLE consent_block (
    number     bigint PRIMARY KEY,
    hash       bytea NOT NULL,
    has_events boolean NOT NULL
);
