"""Array functions: numpy, scipy, OpenCV and torch only."""

from .boundary import boundary_map, distance_map
from .boxes import propose_boxes
from .degrade import degrade
from .direction import direction_map, direction_to_offset, segfix_targets
from .draw_labels import draw_label_map
from .edges import semantic_edge_map, soft_edge_map, widen
from .flow import optical_flow, warp_labels, warp_values
from .frame_names import frame_key, order_frames
from .look_predicted import look_predicted
from .offset import apply_offset
from .patches import average_patches, crop_patches, reassemble_patches
from .steady import average_along_flow
from .tile_transforms import displacement, transform_labels, transform_matrix
from .tiles import cut_tiles
from .votes import apply_votes, votes_against

__all__ = [
    'apply_offset',
    'apply_votes',
    'average_along_flow',
    'average_patches',
    'boundary_map',
    'crop_patches',
    'cut_tiles',
    'degrade',
    'direction_map',
    'direction_to_offset',
    'displacement',
    'distance_map',
    'draw_label_map',
    'frame_key',
    'look_predicted',
    'optical_flow',
    'order_frames',
    'propose_boxes',
    'reassemble_patches',
    'segfix_targets',
    'semantic_edge_map',
    'soft_edge_map',
    'transform_labels',
    'transform_matrix',
    'votes_against',
    'warp_labels',
    'warp_values',
    'widen',
]
