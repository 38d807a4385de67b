// Package protocol holds the messages of the Centrifugal client protocol
// (version 2) and their two wire forms.
//
// The messages are plain structs. JSON is encoding/json over their tags with
// one twist: a Raw field is bare JSON. Protobuf is written by hand against
// clientpb/client.proto; a differential test holds it to the generated code.
package protocol
