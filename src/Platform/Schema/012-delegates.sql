-- Who else may sign for a patient, with which passkey of their own and until when. The sealed column says the same under the patient's key: a
-- row that was written without it lets nobody sign.
CREATE TABLE consent_delegate (
    id            uuid PRIMARY KEY,
    patient       text NOT NULL REFERENCES patient,
    delegate      text NOT NULL REFERENCES patient,
    key           bytea NOT NULL,
    not_after     timestamptz NOT NULL,
    sequence      bigint NOT NULL,
    sealed        bytea NOT NULL,
    created       timestamptz NOT NULL,
    withdrawn     timestamptz,
    added_block   bigint,
    removed_block bigint
);
CREATE INDEX consent_delegate_patient ON consent_delegate (patient, created);
CREATE INDEX consent_delegate_delegate ON consent_delegate (delegate, created);

-- The terms on which a patient's passkeys are replaced. Salt and contacts lie in the sealed column alone; the newest that the contract has not
-- refused count.
CREATE TABLE recovery_terms (
    id         uuid PRIMARY KEY,
    patient    text NOT NULL REFERENCES patient,
    commitment bytea NOT NULL,
    sealed     bytea NOT NULL,
    created    timestamptz NOT NULL,
    set_block  bigint
);
CREATE INDEX recovery_terms_patient ON recovery_terms (patient, created);
CREATE INDEX recovery_terms_commitment ON recovery_terms (commitment);

-- Requests that a new passkey replace all that sign for a patient. Sealed is the row that consent_key gets when it does; where it is missing,
-- the request did not come from here.
CREATE TABLE recovery_request (
    id              uuid PRIMARY KEY,
    patient         text NOT NULL REFERENCES patient,
    key             bytea NOT NULL,
    sealed          bytea,
    counter         bigint NOT NULL DEFAULT 0,
    sequence        bigint NOT NULL,
    asked           timestamptz NOT NULL,
    relayed         timestamptz,
    requested_block bigint,
    effective_at    timestamptz,
    cancelled       timestamptz,
    cancelled_block bigint,
    completed_block bigint,
    ended           timestamptz
);
CREATE INDEX recovery_request_patient ON recovery_request (patient, asked);
CREATE INDEX recovery_request_open ON recovery_request (effective_at) WHERE completed_block IS NULL AND cancelled_block IS NULL AND ended IS NULL;

-- Whom a request waits for: the contact as a keyed hash, their place among the contacts, and, sealed under the patient's key, what they signed.
CREATE TABLE recovery_contact (
    request uuid NOT NULL REFERENCES recovery_request ON DELETE CASCADE,
    number  smallint NOT NULL,
    contact bytea NOT NULL,
    sealed  bytea,
    PRIMARY KEY (request, number)
);
CREATE INDEX recovery_contact_contact ON recovery_contact (contact);

CREATE INDEX chain_transaction_refused ON chain_transaction (id) WHERE state = 4;
