"""The stored schemas of SQLite, PostgreSQL, MySQL and MariaDB."""
