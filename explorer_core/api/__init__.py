"""The front desk: everything pages, the command line and notebooks call.

Importing this package is cheap; torch comes in with the first call that needs it. Functions are kept by subject in the
files beside this one, and are called from here.
"""

from explorer_core.api._bundle import reproduce_bundle
from explorer_core.api._checkpoints import (
    evaluate_checkpoints,
    gradient_history,
    list_checkpoints,
    list_recorded,
    load_checkpoint,
    trace_checkpoints,
)
from explorer_core.api._corpus import find_pattern, index_states, open_index, price_index, similar_units, unit_card
from explorer_core.api._gradients import (
    price_spectrum,
    trace_connectivity,
    trace_gradient_step,
    trace_gradients,
    trace_jacobians,
    trace_untrained_jacobians,
    untrained_twin,
)
from explorer_core.api._lab import lab_example, price_lab, run_lab
from explorer_core.api._memory import lstm_ledger, trace_halves, trace_memory
from explorer_core.api._models import (
    delete_model,
    export_model,
    free_name,
    import_model,
    list_families,
    list_models,
    list_sources,
    load_model,
    restore_model,
)
from explorer_core.api._reading import (
    compare_layers,
    evaluate,
    gate_saturation,
    order_units,
    predict,
    running_verdict,
    summarise_attention,
    trace_layer_verdicts,
    trace_running,
    trace_states,
    trace_unit_step,
)
from explorer_core.api._training import (
    find_job,
    preview_data,
    price_training,
    read_data,
    resume_training,
    save_upload,
    start_starters,
    start_training,
    starter_specs,
    train,
    train_starters,
    training_curves,
    training_spec,
)
from explorer_core.api._words import assess, attribute, find_flips, list_methods, price_attribution
from explorer_core.bundle import Made
from explorer_core.lab.spec import LabSpec
from explorer_core.progress import Progress
from explorer_core.training.spec import DataSpec, TrainingSpec

__all__ = [
    "DataSpec",
    "LabSpec",
    "Made",
    "Progress",
    "TrainingSpec",
    "assess",
    "attribute",
    "compare_layers",
    "delete_model",
    "evaluate",
    "evaluate_checkpoints",
    "export_model",
    "find_flips",
    "find_job",
    "find_pattern",
    "free_name",
    "gate_saturation",
    "gradient_history",
    "import_model",
    "index_states",
    "lab_example",
    "list_checkpoints",
    "list_families",
    "list_methods",
    "list_models",
    "list_recorded",
    "list_sources",
    "load_checkpoint",
    "load_model",
    "lstm_ledger",
    "open_index",
    "order_units",
    "predict",
    "preview_data",
    "price_attribution",
    "price_index",
    "price_lab",
    "price_spectrum",
    "price_training",
    "read_data",
    "reproduce_bundle",
    "restore_model",
    "resume_training",
    "run_lab",
    "running_verdict",
    "save_upload",
    "similar_units",
    "start_starters",
    "start_training",
    "starter_specs",
    "summarise_attention",
    "trace_checkpoints",
    "trace_connectivity",
    "trace_gradient_step",
    "trace_gradients",
    "trace_halves",
    "trace_jacobians",
    "trace_layer_verdicts",
    "trace_memory",
    "trace_running",
    "trace_states",
    "trace_unit_step",
    "trace_untrained_jacobians",
    "train",
    "train_starters",
    "training_curves",
    "training_spec",
    "unit_card",
    "untrained_twin",
]
