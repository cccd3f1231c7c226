"""What leaves the core: frozen dataclasses of NumPy arrays, checked when they are born.

Axes are always in this order: `[text, layer, direction, word | pos, gate, unit]` for recurrent networks and
`[layer, head, query_pos, key_pos]` for attention. No torch here. One file for one kind of result.
"""

from explorer_core.results._base import DIRECTIONS, Exportable, check_array, check_finite, safe_csv, softmax
from explorer_core.results._files import pack_arrays, pack_files
from explorer_core.results.accuracy_comparisons import AccuracyComparison
from explorer_core.results.agreement_map import AgreementMap, word_ranks
from explorer_core.results.attention import AttentionSummary
from explorer_core.results.attributions import (
    AttributionPrice,
    TrustPrice,
    WordAttribution,
    changes_sign,
    kendall_tau,
)
from explorer_core.results.checkpoints import Checkpoint, CheckpointTrace, PairHistory
from explorer_core.results.corpus import IndexPrice, PatternMatches, Places, SimilarUnits, UnitCard, WordMeans
from explorer_core.results.designs import DesignPrice, DesignResult, LearningLine
from explorer_core.results.evidence_thirds import THIRDS, EvidenceThirds
from explorer_core.results.exam import ExamNetwork, ExamPrice, ShortcutExam
from explorer_core.results.exam_finding import exam_finding_of
from explorer_core.results.exam_rows import ExamRow
from explorer_core.results.flips import Flips
from explorer_core.results.gradient_history import GradientHistory
from explorer_core.results.gradient_steps import GradientStep
from explorer_core.results.gradients import Connectivity, GradientTrace, JacobianTrace
from explorer_core.results.half_honesty import HalfHonesty, log_odds
from explorer_core.results.half_scores import HALF_READERS, HalfScores
from explorer_core.results.halves import BiLstmHalves
from explorer_core.results.human_agreement import HumanAgreement
from explorer_core.results.judged_scores import Agreement, Effect, Reliability, Scores
from explorer_core.results.judgements import Judgement
from explorer_core.results.judging_prices import JudgingPrice
from explorer_core.results.lab import LabExample, LabPrice, LabResult
from explorer_core.results.lab_finding import finding_of
from explorer_core.results.layers import LayerSimilarity, LayerVerdicts
from explorer_core.results.ledger import LstmLedger
from explorer_core.results.memory import MemoryTrace
from explorer_core.results.model_prices import ModelPrice, PriceList
from explorer_core.results.modifiers import ALL_PAIRS, ModifierBench
from explorer_core.results.planted import PlantedText
from explorer_core.results.reading_orders import ReadingOrder, TextSlice
from explorer_core.results.reason_comparisons import ReasonComparison
from explorer_core.results.run_records import RunRecord
from explorer_core.results.running import RunningVerdict
from explorer_core.results.saturation import GateSaturation
from explorer_core.results.seed_spreads import SeedSpread
from explorer_core.results.shared_flips import DELETE, SWAP, FlipsPrice, SharedFlips
from explorer_core.results.side_by_side import GradientReach, ScoreComparison, StateLines
from explorer_core.results.state_likeness import StateLikeness
from explorer_core.results.suspect_words import SuspectWords
from explorer_core.results.text_blocks import BlockVerdicts, TextBlock
from explorer_core.results.text_changes import TextChange, TextRead
from explorer_core.results.text_comparisons import AlignedWords, TextComparison
from explorer_core.results.text_maps import TextMap, TextStates
from explorer_core.results.text_pairs import OUTCOMES, JudgedPairs, TextPairs
from explorer_core.results.text_tables import Skipped, TextTable
from explorer_core.results.traces import RecurrentTrace, Trace, TransformerTrace
from explorer_core.results.trust import TrustCard, TrustLine
from explorer_core.results.unit_orders import UnitOrder
from explorer_core.results.unit_steps import Equation, UnitStep
from explorer_core.results.verdicts import Evaluation, ModelCard, Predictions
from explorer_core.results.word_differences import (
    FIRST_ONLY,
    NORMALISATIONS,
    SECOND_ONLY,
    VerdictDifference,
    WordDifference,
)
from explorer_core.results.word_reports import WordContrast, WordReport, WordSummary
from explorer_core.text import Reading

__all__ = [
    "ALL_PAIRS",
    "DELETE",
    "DIRECTIONS",
    "FIRST_ONLY",
    "HALF_READERS",
    "NORMALISATIONS",
    "OUTCOMES",
    "SECOND_ONLY",
    "SWAP",
    "THIRDS",
    "AccuracyComparison",
    "Agreement",
    "AgreementMap",
    "AlignedWords",
    "AttentionSummary",
    "AttributionPrice",
    "BiLstmHalves",
    "BlockVerdicts",
    "Checkpoint",
    "CheckpointTrace",
    "Connectivity",
    "DesignPrice",
    "DesignResult",
    "Effect",
    "Equation",
    "Evaluation",
    "EvidenceThirds",
    "ExamNetwork",
    "ExamPrice",
    "ExamRow",
    "Exportable",
    "Flips",
    "FlipsPrice",
    "GateSaturation",
    "GradientHistory",
    "GradientReach",
    "GradientStep",
    "GradientTrace",
    "HalfHonesty",
    "HalfScores",
    "HumanAgreement",
    "IndexPrice",
    "JacobianTrace",
    "JudgedPairs",
    "Judgement",
    "JudgingPrice",
    "LabExample",
    "LabPrice",
    "LabResult",
    "LayerSimilarity",
    "LayerVerdicts",
    "LearningLine",
    "LstmLedger",
    "MemoryTrace",
    "ModelCard",
    "ModelPrice",
    "ModifierBench",
    "PairHistory",
    "PatternMatches",
    "Places",
    "PlantedText",
    "Predictions",
    "PriceList",
    "Reading",
    "ReadingOrder",
    "ReasonComparison",
    "RecurrentTrace",
    "Reliability",
    "RunRecord",
    "RunningVerdict",
    "ScoreComparison",
    "Scores",
    "SeedSpread",
    "SharedFlips",
    "ShortcutExam",
    "SimilarUnits",
    "Skipped",
    "StateLikeness",
    "StateLines",
    "SuspectWords",
    "TextBlock",
    "TextChange",
    "TextComparison",
    "TextMap",
    "TextPairs",
    "TextRead",
    "TextSlice",
    "TextStates",
    "TextTable",
    "Trace",
    "TransformerTrace",
    "TrustCard",
    "TrustLine",
    "TrustPrice",
    "UnitCard",
    "UnitOrder",
    "UnitStep",
    "VerdictDifference",
    "WordAttribution",
    "WordContrast",
    "WordDifference",
    "WordMeans",
    "WordReport",
    "WordSummary",
    "changes_sign",
    "check_array",
    "check_finite",
    "exam_finding_of",
    "finding_of",
    "kendall_tau",
    "log_odds",
    "pack_arrays",
    "pack_files",
    "safe_csv",
    "softmax",
    "word_ranks",
]
