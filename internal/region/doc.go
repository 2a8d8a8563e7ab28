// Package region is the tree of administrative divisions (行政区划) of Hubei:
// the province, 17 prefecture-level units (市州), 103 county-level units,
// townships and villages, with their GB/T 2260 codes, boundaries and names.
//
// The four units directly under the province (仙桃 潜江 天门 神农架) stand at
// the prefecture level and are their own county unit as well. Two statistical
// zones (421071, 421171) are in the tree because townships hang under them;
// they are no county units.
//
// The package is pure and its data is embedded (see data/README.md for source
// and licence); villages are unpacked on first use. It knows no units, lines
// or tickets. Intake, dispatch, org, insight, measure and the faces call it.
package region
