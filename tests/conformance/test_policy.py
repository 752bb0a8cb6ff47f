"""The suite for policies passes on every store, with a policy that hides rows and fields and stamps what is new."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from fastapi_easy.domain import Cache, Principal
from fastapi_easy.testing import in_memory
from fastapi_easy.testing.conformance import PolicyConformance
from tests.conformance import policy_entities as entities
from tests.conformance.columns import FULL, only_when_full
from tests.conformance.policy_shop import EDITORS, ShopConformance, opened_at, shop_of
from tests.e2e import ruled_books, tenants
from tests.services.wanted import empty_database

MEMORY = shop_of(entities.GenreData, entities.AuthorData, entities.BookData)
SQLMODEL = shop_of(entities.GenreTable, entities.AuthorTable, entities.BookTable)
SQLALCHEMY = shop_of(entities.GenreRow, entities.AuthorRow, entities.BookRow)
MONGO = shop_of(entities.GenreDocument, entities.AuthorDocument, entities.BookDocument)


class TestMemory(ShopConformance):
    @pytest.fixture
    def container(self) -> Any:
        return opened_at(MEMORY, "memory://")


class TestSQLModelOnSQLite(ShopConformance):
    @pytest.fixture
    def container(self, tmp_path: Path) -> Any:
        return opened_at(SQLMODEL, f"sqlite:///{tmp_path}/shop.db")


@only_when_full
class TestTortoiseOnSQLite(ShopConformance):
    shop = shop_of(*entities.tortoise_family("guarded_lite"))

    @pytest.fixture
    def container(self, tmp_path: Path) -> Any:
        return opened_at(self.shop, f"sqlite:///{tmp_path}/shop.db")


class TestCachedAnswers(ShopConformance):
    shop = shop_of(entities.GenreData, entities.AuthorData, entities.BookData, Cache(seconds=60))

    @pytest.fixture
    def container(self) -> Any:
        return opened_at(self.shop, "memory://")


class TestTenants(PolicyConformance):
    """Without a policy, where every entity belongs to a tenant."""

    owner = Principal(id="ada", tenant="north")
    foreign = Principal(id="eve", tenant="south")

    @pytest.fixture
    def container(self) -> Any:
        return in_memory(tenants.PlainShop)


class TestDeclaredRules(PolicyConformance):
    """Rules of resources beside roles: what everybody reads, and what is the caller's own."""

    owner = Principal(id="7", roles=EDITORS)
    foreign = Principal(id="8", roles=EDITORS)
    powerless = Principal(id="9")
    public: ClassVar = {"books": {"read"}}
    authenticated: ClassVar = {"authors": {"read"}}

    @pytest.fixture
    def container(self) -> Any:
        return in_memory(ruled_books.PlainShop)

    def example(self, resource: str, principal: Principal, number: int) -> Mapping[str, object]:
        return {"country": "GB"} if resource == "authors" else {}

    def arguments(self, resource: str, action: str) -> Mapping[str, object]:
        return {"by": 2}


class OnServer(ShopConformance):
    """The shop of a class, in an empty database on its server.

    Callers without any rights are refused before a store is asked, and HTTP asks the store nothing else: the stores
    above show both for all.
    """

    server: str
    scheme: tuple[str, str] = ("", "")
    shop: Any

    if not FULL:
        doors: ClassVar = ("python",)
        test_a_caller_without_rights_reaches_nothing = None  # type: ignore[assignment]
        test_an_anonymous_caller_reaches_nothing = None  # type: ignore[assignment]

    @pytest.fixture
    def container(self) -> Iterator[Any]:
        with empty_database(self.server) as url:
            yield opened_at(self.shop, url.replace(*self.scheme, 1) if self.scheme[0] else url)


class TestSQLModelOnPostgres(OnServer):
    server, shop = "postgres", SQLMODEL


@only_when_full
class TestSQLAlchemyOnPostgres(OnServer):
    server, shop, scheme = "postgres", SQLALCHEMY, ("postgresql://", "postgresql+psycopg://")


class TestTortoiseOnPostgres(OnServer):
    server, shop = "postgres", shop_of(*entities.tortoise_family("guarded_pg"))


class TestSQLModelOnMariaDB(OnServer):
    server, shop = "mariadb", SQLMODEL


class TestMongo(OnServer):
    server, shop = "mongo", MONGO
