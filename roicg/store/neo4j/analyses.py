"""Front door of everything that is computed from published graphs: add-only analyses and guarded comparisons."""

from roicg.store.neo4j.communities import CommunityResult, find_communities
from roicg.store.neo4j.comparisons import MatchResult, edge_drift, match_rois

__all__ = ["CommunityResult", "MatchResult", "edge_drift", "find_communities", "match_rois"]
