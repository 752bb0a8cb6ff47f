"""An account as MongoDB keeps it."""

from pydantic import BaseModel


class Memo(BaseModel):
    id: int | None = None
    balance: int = 0
    written_by: str = ""
