// Package selarti speaks the dialect of Selarti's "Page messenger" channel
// (specs/selarti.md): auth, send_external_message and add_target come in, the
// 20-field webhook goes out. It decodes, calls the core and encodes; README.md
// lists what is served and every choice made where the vendor is silent.
package selarti
