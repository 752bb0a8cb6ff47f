"""From detected differences to steps of plain SQL, for PostgreSQL, MySQL and MariaDB."""
