//! What the whole switch does, seen from outside: see `tests/`.
