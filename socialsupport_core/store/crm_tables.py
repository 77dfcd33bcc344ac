"""The tables of `store.crm`, apart from it since the database depends on them."""

TABLES = """
CREATE TABLE crms (
  tenant TEXT NOT NULL REFERENCES tenants, crm TEXT NOT NULL, adapter TEXT NOT NULL, door TEXT NOT NULL UNIQUE,
  cursor INTEGER NOT NULL, since INTEGER NOT NULL, rules TEXT NOT NULL, news TEXT, facts TEXT,
  PRIMARY KEY (tenant, crm)) WITHOUT ROWID;
CREATE TABLE crm_contacts (
  tenant TEXT NOT NULL, crm TEXT NOT NULL, node INTEGER NOT NULL, contact TEXT NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY (tenant, crm, node, contact)) WITHOUT ROWID;
CREATE INDEX crm_contacts_by_contact ON crm_contacts (tenant, crm, contact);
CREATE TABLE crm_asked (
  tenant TEXT NOT NULL, crm TEXT NOT NULL, node INTEGER NOT NULL, PRIMARY KEY (tenant, crm, node)) WITHOUT ROWID;
CREATE TABLE crm_cases (
  tenant TEXT NOT NULL, crm TEXT NOT NULL, conversation TEXT NOT NULL, case_ref TEXT NOT NULL, url TEXT,
  gone INTEGER NOT NULL, PRIMARY KEY (tenant, crm, conversation)) WITHOUT ROWID;
CREATE INDEX crm_cases_by_case ON crm_cases (tenant, crm, case_ref);
CREATE TABLE crm_records (
  tenant TEXT NOT NULL, crm TEXT NOT NULL, seq INTEGER NOT NULL, part TEXT NOT NULL, conversation TEXT NOT NULL,
  case_ref TEXT NOT NULL, record TEXT NOT NULL, erasure TEXT, PRIMARY KEY (tenant, crm, seq, part)) WITHOUT ROWID;
CREATE INDEX crm_records_of_erased ON crm_records (tenant, crm, erasure) WHERE erasure IS NOT NULL;
CREATE INDEX crm_records_by_record ON crm_records (tenant, crm, record);
CREATE INDEX crm_records_by_conversation ON crm_records (tenant, conversation);
CREATE TABLE crm_fields (
  tenant TEXT NOT NULL, crm TEXT NOT NULL, conversation TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,
  at INTEGER NOT NULL, PRIMARY KEY (tenant, crm, conversation, field)) WITHOUT ROWID;
CREATE TABLE crm_waiting (
  tenant TEXT NOT NULL, crm TEXT NOT NULL, event TEXT NOT NULL, conversation TEXT NOT NULL, data TEXT NOT NULL,
  at INTEGER NOT NULL, attempts INTEGER NOT NULL, due_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, crm, event)) WITHOUT ROWID;
CREATE INDEX crm_waiting_by_conversation ON crm_waiting (tenant, conversation);
"""
