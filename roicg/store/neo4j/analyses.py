"""Front door of everything that is computed from published graphs: add-only analyses and guarded comparisons."""

from roicg.store.neo4j.communities import find_communities
from roicg.store.neo4j.comparisons import MatchResult, edge_drift, match_by_signature, match_rois
from roicg.store.neo4j.divisions import CommunityResult
from roicg.store.neo4j.roles import find_roles
from roicg.store.signature import SignatureMatch

__all__ = ["CommunityResult", "MatchResult", "SignatureMatch", "edge_drift", "find_communities", "find_roles", "match_by_signature", "match_rois"]
