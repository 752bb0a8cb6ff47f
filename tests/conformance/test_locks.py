"""Lease stores that need no server keep the promises of every lease store."""

import pytest
from sqlalchemy import make_url

from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.locks.file import FileLeaseStore
from fastapi_easy.infrastructure.locks.memory import Leases as Shared
from fastapi_easy.infrastructure.locks.memory import MemoryLeaseStore
from fastapi_easy.infrastructure.locks.relational.sqlite import SqliteLeaseStore
from fastapi_easy.testing.conformance import LeaseStoreConformance, LeaseStoreFactory


class TestMemory(LeaseStoreConformance):
    @pytest.fixture
    def leases(self):
        shared = Shared()
        return LeaseStoreFactory(
            open=lambda: MemoryLeaseStore(SystemClock(), shared), column="locks in memory"
        )


class TestSqlite(LeaseStoreConformance):
    @pytest.fixture
    def leases(self, tmp_path):
        url = make_url(f"sqlite+aiosqlite:///{tmp_path / 'locks.sqlite3'}")
        return LeaseStoreFactory(open=lambda: SqliteLeaseStore(url), column="locks in SQLite")


class TestFile(LeaseStoreConformance):
    @pytest.fixture
    def leases(self, tmp_path):
        return LeaseStoreFactory(open=lambda: FileLeaseStore(tmp_path / "locks"), column="locks in files")
