"""Bundles: all of a log, or excerpts from it, for somebody who has nothing else (docs/format.md section 15).

- `container`: a folder or a zip file, read strictly, written whole or not at all. `names`: what may be in it.
- `manifest`: what a bundle says of itself. `checking`: what comes out of checking one.
- Whole bundles: `whole` writes, `view` reads, `check` checks. `tiled`: the layout of their tree.
- Excerpts: `select` chooses histories, `gather` finds what belongs to them, `excerpt` writes, `entryfile` is the file
  of an entry, `reading` reads (a View), `entries` and `judging` check, `shown` is what is shown.
"""
