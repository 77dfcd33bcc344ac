"""The helpdesk's own tables. Its agents' pages write to them as they like; triggers keep what we have to hear of.

What we write ourselves bears `by = 'socialsupport'`, and is not kept as news.
"""

US = "socialsupport"

SCHEMA = """
CREATE TABLE IF NOT EXISTS customers (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT COLLATE NOCASE, phone TEXT,
  email_is_proven INTEGER NOT NULL DEFAULT 0, phone_is_proven INTEGER NOT NULL DEFAULT 0, plan TEXT);
CREATE TABLE IF NOT EXISTS tickets (
  id INTEGER PRIMARY KEY, conversation TEXT UNIQUE, customer INTEGER REFERENCES customers ON DELETE CASCADE,
  subject TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
  assignee TEXT NOT NULL DEFAULT '', version INTEGER NOT NULL DEFAULT 1, by TEXT NOT NULL DEFAULT '',
  changed_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY, ticket INTEGER NOT NULL REFERENCES tickets ON DELETE CASCADE, key TEXT UNIQUE,
  author TEXT NOT NULL, direction TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound', 'internal')),
  body TEXT NOT NULL, by TEXT NOT NULL DEFAULT '', at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE IF NOT EXISTS files (
  id INTEGER PRIMARY KEY, ticket INTEGER NOT NULL REFERENCES tickets ON DELETE CASCADE,
  message INTEGER REFERENCES messages ON DELETE CASCADE, key TEXT UNIQUE, name TEXT NOT NULL, media_type TEXT NOT NULL,
  content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS news (
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, ticket INTEGER, subject INTEGER, value TEXT,
  agent TEXT, at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TRIGGER IF NOT EXISTS said AFTER INSERT ON messages WHEN NEW.by <> 'socialsupport' BEGIN
  INSERT INTO news (kind, ticket, subject, agent) VALUES ('said', NEW.ticket, NEW.id, NEW.author); END;
CREATE TRIGGER IF NOT EXISTS changed AFTER UPDATE OF status, assignee, subject ON tickets BEGIN
  UPDATE tickets SET version = OLD.version + 1, changed_at = CURRENT_TIMESTAMP WHERE id = NEW.id;
  INSERT INTO news (kind, ticket, value, agent) SELECT 'status', NEW.id, NEW.status, NEW.by
    WHERE NEW.status <> OLD.status AND NEW.by <> 'socialsupport';
  INSERT INTO news (kind, ticket, value, agent) SELECT 'assignee', NEW.id, NEW.assignee, NEW.by
    WHERE NEW.assignee <> OLD.assignee AND NEW.by <> 'socialsupport';
  INSERT INTO news (kind, ticket, value, agent) SELECT 'subject', NEW.id, NEW.subject, NEW.by
    WHERE NEW.subject <> OLD.subject AND NEW.by <> 'socialsupport'; END;
CREATE TRIGGER IF NOT EXISTS gone AFTER DELETE ON tickets BEGIN
  DELETE FROM news WHERE ticket = OLD.id; INSERT INTO news (kind, ticket) VALUES ('gone', OLD.id); END;
CREATE TRIGGER IF NOT EXISTS known AFTER UPDATE OF name, email, phone, email_is_proven, phone_is_proven, plan
  ON customers BEGIN INSERT INTO news (kind, subject) VALUES ('customer', NEW.id); END;
CREATE TRIGGER IF NOT EXISTS forgotten AFTER DELETE ON customers BEGIN
  DELETE FROM news WHERE kind = 'customer' AND subject = OLD.id;
  INSERT INTO news (kind, subject) VALUES ('forgotten', OLD.id); END;
"""
