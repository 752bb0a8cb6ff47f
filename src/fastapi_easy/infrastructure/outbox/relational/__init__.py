"""The outbox of SQLite, PostgreSQL, MySQL and MariaDB."""
