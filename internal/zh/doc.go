// Package zh handles Chinese text: it normalises, cuts into index grams,
// romanises, compares, checks numbers and masks personal data.
//
// Everything is a pure function of its input; there is no dictionary file, no
// state and no error but the boolean of a check. It never decides who may see
// what (access does) and never stores anything. Every room above uses it: the
// full-text index and similar tickets take Grams and Similarity, the redacted
// rendition of a ticket is Redact, lists and screens take the masks.
package zh
