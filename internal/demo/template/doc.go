// Package template writes the texts of the demo: requests as citizens of
// Hubei make them, with title, content, address, the object complained of,
// and the reply that fits, for nearly every matter of the 事项分类.
//
// The texts are data of our own writing (data/*.txt); places, shops and
// companies in them are invented per township, so the same estate turns up
// again in its township and nowhere else. A draft holds no personal data.
// Everything follows from the random source and the arguments.
//
// The package never reads a clock or a database and never makes a ticket. It
// is called by demo, to seed the history and to feed the simulator.
package template
