"""Every error roicg raises on purpose.

::

    RoicgError                     one sentence: what was given, what is allowed, what to do
    ├── StudyError                 a study file that cannot run (unknown key, bad value, pair that does not fit)
    ├── SourceError                a model that cannot be loaded (missing file, pickle, shapes, NaN)
    │   └── UnsupportedModel       a model roicg does not represent, refused by the name of the feature
    ├── PromptError                prompts that cannot be used (ids beyond the vocabulary, all pairs dropped)
    ├── LawError                   a law of the science broken by a computed value (books, sums, finite numbers)
    ├── StoreError                 the graph database refused, is too old, lacks GDS, or holds something else
    │   ├── StoreUnreachable       nobody answers at the address, or the credentials are wrong
    │   ├── QueryError             a query file or its parameters break the Cypher law
    │   └── PublishConflict        the same graph id with other content, or a newer writer holds the slot
    └── ServerError                the embedded database could not be fetched, started or stopped

The command line prints the sentence and ends with the code in ``exit_code``; a traceback needs ``--debug``.
"""


class RoicgError(Exception):
    """Base of all errors roicg raises on purpose; ``exit_code`` is what the command line returns."""

    exit_code = 1


class StudyError(RoicgError):
    """The study file cannot run as written."""

    exit_code = 3


class SourceError(RoicgError):
    """The model cannot be loaded from its source."""

    exit_code = 4


class UnsupportedModel(SourceError):
    """The model needs something roicg does not represent; the message names it."""


class PromptError(RoicgError):
    """The prompts cannot be used with this model."""

    exit_code = 5


class LawError(RoicgError):
    """A computed value breaks a law of the science; nothing is published."""

    exit_code = 6


class StoreError(RoicgError):
    """The graph database refused, is too old, or lacks GDS."""

    exit_code = 7


class StoreUnreachable(StoreError):
    """Nobody answers at the database address, or the credentials are wrong."""


class QueryError(StoreError):
    """A query file, its name or its parameters break the Cypher law."""


class PublishConflict(StoreError):
    """Another graph holds this id, or a newer writer holds the slot."""


class ServerError(RoicgError):
    """The embedded database could not be fetched, started or stopped."""

    exit_code = 8
