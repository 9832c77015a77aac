"""The storages of the tests of sweeps."""

from tests.search.conftest import (
    _quiet_optuna as _quiet_optuna,
)
from tests.search.conftest import (
    _shared_postgres_url as _shared_postgres_url,
)
from tests.search.conftest import (
    postgres_server as postgres_server,
)
from tests.search.conftest import (
    postgres_storage as postgres_storage,
)
from tests.search.conftest import (
    postgres_url as postgres_url,
)
from tests.search.conftest import (
    sweep as sweep,
)
