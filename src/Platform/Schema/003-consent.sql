-- The pseudonym of a patient at the contracts, the sequence number that the next change of its keys is signed with, and, for a patient without
-- a passkey, the signing key (sealed) that the node keeps, with what the contract calls it.
CREATE TABLE consent_subject (
    patient    text PRIMARY KEY REFERENCES patient,
    subject    bytea NOT NULL UNIQUE,
    sequence   bigint NOT NULL DEFAULT 0,
    node_key   bytea,
    sealed_key bytea
);

-- Passkeys that sign consents: what the contract calls each, and, sealed under the patient's key, the passkey itself. Removed ones stay, so
-- that what they signed can be told from what the node did.
CREATE TABLE consent_key (
    key           bytea PRIMARY KEY,
    patient       text NOT NULL REFERENCES patient,
    sealed        bytea NOT NULL,
    counter       bigint NOT NULL,
    created       timestamptz NOT NULL,
    removed       timestamptz,
    added_block   bigint,
    removed_block bigint
);
CREATE INDEX consent_key_patient ON consent_key (patient);

-- The mirror of the contract: what was asked for here, and what the chain says of it; the keys that signed by what the contract calls them.
CREATE TABLE consent (
    id            bytea PRIMARY KEY,
    patient       text NOT NULL REFERENCES patient,
    resource      text NOT NULL UNIQUE,
    grantee       text NOT NULL,
    commitment    bytea NOT NULL,
    not_after     timestamptz NOT NULL,
    requested     timestamptz NOT NULL,
    granted_by    bytea NOT NULL,
    granted_block bigint,
    revoked       timestamptz,
    revoked_by    bytea,
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
