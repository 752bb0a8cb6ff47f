"""The steps of MySQL and MariaDB: one atomic `ALTER TABLE` after the other."""
