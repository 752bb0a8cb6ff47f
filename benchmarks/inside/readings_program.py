"""The program of `audited_over_http`: audited creates beside the same without, on the database of a setting."""

from benchmarks.inside.audited import KEY, Readings
from fastapi_easy.bootstrap import create_app
from fastapi_easy.settings import Settings

app = create_app(Readings(settings=Settings.model_validate({"audit": {"keys": {"bench": KEY}}})))
