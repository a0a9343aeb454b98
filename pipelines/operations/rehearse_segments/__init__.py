"""rehearse_segments: does a package of segments do in a clean process what it promises."""
