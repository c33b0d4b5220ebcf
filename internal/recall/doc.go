// Package recall is the domain of Crown Safe: the canonical notice, the unit
// predicates that say which units of a product a notice covers, and the
// decision whether one unit in somebody's hands is covered.
//
// Everything here is pure: no clock, no network, no storage. The package must
// not know agencies' wire formats, how notices are stored or how an answer is
// sent. Its JSON shape is the public contract "recall/1" (docs/recall-1.schema.json).
package recall
