"""The ledgers that tests of migrations leave in databases which others use after them."""

import pymongo
import sqlalchemy

LEDGER = ("fe_migration_step", "fe_migration_run", "fe_migration_state")
_DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql"}


def forget_ledger(url: str) -> None:
    """Remove the ledger at *url*, so that a program there finds a database that nobody has migrated."""
    if url.startswith("mongodb"):
        with pymongo.MongoClient(url) as client:
            for each in LEDGER:
                client.get_default_database().drop_collection(each)
        return
    made = sqlalchemy.make_url(url)
    engine = sqlalchemy.create_engine(made.set(drivername=f"{made.drivername}+{_DRIVERS[made.drivername]}"))
    with engine.begin() as connection:
        for each in LEDGER:
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {each}")
    engine.dispose()
