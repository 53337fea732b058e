-- Records opened without consent because life or health was at stake. What was opened, by whom, why and until when stands in the sealed resource;
-- these columns lead to it. Nobody's reading of the notice is health data, so it is kept here in the clear.
CREATE TABLE emergency (
    id           bytea PRIMARY KEY,
    patient      text NOT NULL REFERENCES patient,
    account      uuid NOT NULL REFERENCES account,
    resource     text NOT NULL UNIQUE,
    commitment   bytea NOT NULL,
    opened       timestamptz NOT NULL,
    not_after    timestamptz NOT NULL,
    closed       timestamptz,
    patient_seen timestamptz,
    auditor_seen timestamptz
);
CREATE INDEX emergency_account ON emergency (account, not_after);
CREATE INDEX emergency_patient ON emergency (patient, opened);
