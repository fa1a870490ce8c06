"""What every part of `findings.json` is made of."""

from pydantic import BaseModel, ConfigDict


class Finding(BaseModel):
    """Base of everything here: frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
